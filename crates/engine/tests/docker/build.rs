//! Images are built from source as the file says.

use seaworthy_engine::contract::Case;
use seaworthy_engine::{Engine, EngineError};

use crate::bed::{BASE, Bed};

fn written(bed: &Bed, files: &[(&str, String)]) {
    for (path, text) in files {
        let path = bed.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

async fn built(bed: &Bed, case: &Case) -> (Result<(), EngineError>, Vec<String>) {
    let mut lines = Vec::new();
    let service = &case.revision.service;
    let done = bed.engine.build(&case.project, service, &mut |line| lines.push(line.to_owned())).await;
    (done, lines)
}

#[tokio::test]
async fn an_image_is_built_with_its_arguments_and_without_what_is_ignored() {
    let bed = Bed::new().await;
    let dockerfile = format!(
        "FROM {BASE} AS base\nARG WHO\nLABEL who=$WHO\nCOPY . /all/\nFROM base AS other\nLABEL stage=other\n"
    );
    written(
        &bed,
        &[
            ("web/Dockerfile", dockerfile),
            ("web/seen", "1".into()),
            ("web/.dockerignore", "hidden\n".into()),
            ("web/hidden", "1".into()),
        ],
    );
    let folder = bed.folder.path().display().to_string();
    let yaml = format!(
        "services:\n  sample:\n    image: IMAGE\n    build:\n      context: {folder}/web\n      target: other\n      args: {{ WHO: me }}\n      labels: {{ mine: '1' }}\n"
    );
    let case = bed.case_of(&yaml).await;
    let (done, lines) = built(&bed, &case).await;
    done.unwrap();
    assert!(!lines.is_empty());
    let image = bed.api.inspect_image(&case.revision.artifact.name).await.unwrap();
    let labels = image.config.unwrap().labels.unwrap();
    assert_eq!((&*labels["who"], &*labels["stage"], &*labels["mine"]), ("me", "other", "1"));
    let seen = bed.engine.inspect(&case.project, &case.revision.service).await.unwrap();
    assert_eq!(seen.artifact.unwrap().digest, image.id.unwrap());
}

#[tokio::test]
async fn an_inline_dockerfile_is_built_and_a_failure_says_why() {
    let bed = Bed::new().await;
    let folder = bed.folder.path().display().to_string();
    let inline = |last: &str| {
        format!(
            "services:\n  sample:\n    image: IMAGE\n    build:\n      context: {folder}\n      dockerfile_inline: |\n        FROM {BASE}\n        {last}\n"
        )
    };
    let case = bed.case_of(&inline("LABEL inline=1")).await;
    built(&bed, &case).await.0.unwrap();
    let image = bed.api.inspect_image(&case.revision.artifact.name).await.unwrap();
    assert_eq!(image.config.unwrap().labels.unwrap()["inline"], "1");
    let case = bed.case_of(&inline("COPY nothing-there /")).await;
    let error = built(&bed, &case).await.0.unwrap_err();
    assert!(
        matches!(error, EngineError::Build { .. }) && error.to_string().contains("nothing-there"),
        "{error}"
    );
}
