//! When a service is started again after it ended, in the words of Compose.

use seaworthy_project::Service;

/// `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`. `deploy.restart_policy` goes before `restart`;
/// without both it is `no`.
pub fn restart_of(service: &Service) -> String {
    let counted = |count: Option<u32>| match count {
        Some(count @ 1..) => format!("on-failure:{count}"),
        _ => "on-failure".to_owned(),
    };
    if let Some(said) = &service.deploy.restart {
        return match said.condition.as_deref() {
            Some("none") => "no".to_owned(),
            Some("on-failure") => counted(said.max_attempts),
            _ => "always".to_owned(),
        };
    }
    let said = service.restart.as_ref().map_or("no", |restart| restart.value.as_str());
    let (word, count) = said.split_once(':').unwrap_or((said, ""));
    match word {
        "always" | "unless-stopped" => word.to_owned(),
        "on-failure" => counted(count.parse().ok()),
        _ => "no".to_owned(),
    }
}
