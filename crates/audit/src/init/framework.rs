//! Which framework a service is written with, told from the files that name its packages.

use std::path::Path;

use super::{Decision, Proposal};
use crate::{Context, EditValue, Subject};

/// What is known of a framework.
#[derive(Debug, PartialEq, Eq)]
pub struct Framework {
    /// What people call it.
    pub title: &'static str,
    /// The file that names it, and the words in it.
    file: &'static str,
    words: &'static str,
    /// The path that tells that it works, where the framework has one by itself.
    pub(super) health: Option<&'static str>,
    /// Whether it answers requests itself, not through a server in front of it.
    pub(super) answers: bool,
    /// The variable that tells it that this is production.
    mode: Option<(&'static str, &'static str)>,
    /// What it wants from a person before it goes to production.
    wants: Option<&'static str>,
}

const NODE_MODE: Option<(&str, &str)> = Some(("NODE_ENV", "production"));

const fn plain(title: &'static str, file: &'static str, words: &'static str) -> Framework {
    Framework { title, file, words, health: None, answers: true, mode: None, wants: None }
}

const fn node(title: &'static str, words: &'static str) -> Framework {
    Framework { mode: NODE_MODE, ..plain(title, "package.json", words) }
}

const DJANGO: Framework = Framework {
    wants: Some(
        "Django wants `DEBUG = False`, `ALLOWED_HOSTS` and `SECRET_KEY` from the environment, and a server such as gunicorn \
         instead of `runserver`.",
    ),
    ..plain("Django", "requirements.txt", "django")
};
const FLASK: Framework = Framework {
    wants: Some("Flask wants a server such as gunicorn instead of `flask run`."),
    ..plain("Flask", "requirements.txt", "flask")
};

/// What is recognised; the first that fits counts, so the more telling ones come first.
const FRAMEWORKS: &[Framework] = &[
    node("NestJS", "\"@nestjs/core\""),
    node("Next.js", "\"next\""),
    node("Nuxt", "\"nuxt\""),
    node("Fastify", "\"fastify\""),
    node("Express", "\"express\""),
    node("Koa", "\"koa\""),
    Framework { mode: None, ..node("Angular", "\"@angular/core\"") },
    Framework { mode: None, ..node("React", "\"react\"") },
    Framework { mode: None, ..node("Vue", "\"vue\"") },
    node("Node.js", "{"),
    Framework { file: "requirements.txt", ..DJANGO },
    Framework { file: "pyproject.toml", ..DJANGO },
    Framework { file: "Pipfile", ..DJANGO },
    plain("FastAPI", "requirements.txt", "fastapi"),
    plain("FastAPI", "pyproject.toml", "fastapi"),
    Framework { file: "requirements.txt", ..FLASK },
    Framework { file: "pyproject.toml", ..FLASK },
    Framework {
        mode: Some(("RAILS_ENV", "production")),
        wants: Some("Rails wants `SECRET_KEY_BASE` or `RAILS_MASTER_KEY` in production."),
        ..plain("Ruby on Rails", "Gemfile", "rails")
    },
    plain("Sinatra", "Gemfile", "sinatra"),
    Framework {
        mode: Some(("APP_ENV", "production")),
        wants: Some("Laravel wants `APP_KEY` and `APP_URL`, and `php artisan config:cache` in the image."),
        ..plain("Laravel", "composer.json", "laravel/framework")
    },
    Framework {
        mode: Some(("APP_ENV", "prod")),
        ..plain("Symfony", "composer.json", "symfony/framework-bundle")
    },
    Framework {
        health: Some("/actuator/health"),
        ..plain("Spring Boot", "pom.xml", "spring-boot-starter-actuator")
    },
    Framework {
        health: Some("/actuator/health"),
        ..plain("Spring Boot", "build.gradle", "spring-boot-starter-actuator")
    },
    plain("Spring Boot", "pom.xml", "spring-boot"),
    plain("Spring Boot", "build.gradle", "spring-boot"),
    plain("Java", "pom.xml", "<project"),
    plain("Actix Web", "Cargo.toml", "actix-web"),
    plain("axum", "Cargo.toml", "axum"),
    plain("Rocket", "Cargo.toml", "rocket"),
    Framework { answers: false, ..plain("Rust", "Cargo.toml", "[package]") },
    plain("Gin", "go.mod", "gin-gonic/gin"),
    plain("Echo", "go.mod", "labstack/echo"),
    Framework { answers: false, ..plain("Go", "go.mod", "module ") },
    Framework {
        mode: Some(("MIX_ENV", "prod")),
        wants: Some("Phoenix wants `SECRET_KEY_BASE` and `PHX_HOST` in production."),
        ..plain("Phoenix", "mix.exs", ":phoenix")
    },
    Framework { answers: false, ..plain("Python", "requirements.txt", "") },
];

/// The framework of each service that is built here.
pub(super) fn recognise(
    context: &Context<'_>,
    manifest: &dyn Fn(&Path) -> Option<String>,
) -> Vec<(String, &'static Framework)> {
    let of = |subject: Subject<'_>| {
        let folder = subject.build.as_ref()?.value.context.clone()?;
        let mut texts: Vec<(&str, Option<String>)> = Vec::new();
        let found = FRAMEWORKS.iter().find(|framework| {
            if !texts.iter().any(|(file, _)| *file == framework.file) {
                let text = manifest(&Path::new(&folder).join(framework.file));
                texts.push((framework.file, text.map(|text| text.to_ascii_lowercase())));
            }
            let text = texts.iter().find(|(file, _)| *file == framework.file);
            text.and_then(|(_, text)| text.as_ref()).is_some_and(|text| text.contains(framework.words))
        })?;
        Some((subject.name.value.to_string(), found))
    };
    context.subjects().filter_map(of).collect()
}

/// Tells each framework that this is production, where nobody has said otherwise.
pub(super) fn proposals(context: &Context<'_>, recognised: &[(String, &'static Framework)]) -> Vec<Proposal> {
    let of = |subject: Subject<'_>| {
        let (_, framework) = recognised.iter().find(|(name, _)| *name == subject.name.value.as_str())?;
        let (variable, value) = framework.mode?;
        if subject.environment.contains_key(variable) || is_in_image(context, &subject, variable) {
            return None;
        }
        let edit = subject.edit(&["environment", variable], EditValue::text(value));
        Some(Proposal { edits: vec![edit], decision: None })
    };
    context.subjects().filter_map(of).collect()
}

/// Whether the Dockerfile sets a variable.
fn is_in_image(context: &Context<'_>, subject: &Subject<'_>, variable: &str) -> bool {
    let Some((file, build)) = context.build_of(&subject.name.value) else { return false };
    build.steps(file).any(|step| {
        step.keyword == crate::dockerfile::Keyword::Env
            && step.pairs.iter().any(|pair| pair.name.text == variable)
    })
}

/// What frameworks want from a person.
pub(super) fn decisions(recognised: &[(String, &'static Framework)]) -> Vec<Decision> {
    let wants = recognised.iter().filter_map(|(name, framework)| Some((name, framework.wants?)));
    wants.map(|(name, wants)| Decision::new(format!("services.{name}"), wants)).collect()
}
