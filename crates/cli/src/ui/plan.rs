//! A plan as people read it.

use seaworthy_release::{Gap, Plan};

use crate::ui::{Paint, Table, Tone};

/// What changes and why, whether there is a gap, and with `steps` every step.
pub(crate) fn plan_text(plan: &Plan, project: &str, steps: bool, paint: Paint) -> String {
    let goal = match plan.release {
        Some(release) => format!("release {release}"),
        None => "nothing running".to_owned(),
    };
    if plan.is_empty() {
        return format!("{project}: nothing to do, {goal} is as it should be.\n{}", notes(plan, paint));
    }
    let mut text = format!("{}\n", paint.paint(Tone::Heading, &format!("Plan for {project}: to {goal}")));
    let mut table = Table::new(&["SERVICE", "GAP", "WHY"]);
    for change in &plan.changes {
        let gap = match &change.gap {
            Gap::None => "none".to_owned(),
            Gap::Expected(reason) => format!("yes: {reason}"),
        };
        table.row(vec![change.service.to_string(), gap, change.cause.clone()]);
    }
    if !plan.changes.is_empty() {
        text.push_str(&table.text(paint));
    }
    if steps {
        text.push_str(&format!("\n{}\n", paint.paint(Tone::Heading, "Steps")));
        for (index, step) in plan.steps.iter().enumerate() {
            let gap = if step.gap == Gap::None { "" } else { "  (gap)" };
            let cause = paint.paint(Tone::Faint, &format!("because {}", step.cause));
            text.push_str(&format!("{:>4}  {}{gap}\n      {cause}\n", index + 1, step.action));
        }
    }
    text.push_str(&notes(plan, paint));
    let gap = if plan.has_gap() { "with a gap, see above" } else { "no request fails" };
    let steps =
        if plan.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", plan.steps.len()) };
    text.push_str(&format!("{steps}, {gap}.\n"));
    text
}

fn notes(plan: &Plan, paint: Paint) -> String {
    let label = paint.paint(Tone::Warning, "note:");
    plan.notes.iter().map(|note| format!("{label} {note}\n")).collect()
}
