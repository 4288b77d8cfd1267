//! Why a request was not done, told without telling how the service works inside.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{MAX_ID, MAX_TEXT};
use crate::store::StoreError;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Writing needs the header `Authorization: Bearer <token>` with the right token.")]
    Unauthorized,
    #[error("There is no such note.")]
    NotFound,
    #[error("An id has 1 to {MAX_ID} letters, digits, `-` or `_`.")]
    BadId,
    #[error("A note has {MAX_TEXT} characters at most.")]
    TooLong,
    #[error("This version cannot pin notes.")]
    NoPins,
    #[error("This version cannot search notes.")]
    NoSearch,
    #[error("The body must be JSON such as `{{\"text\":\"…\"}}`.")]
    Body(#[source] JsonRejection),
    #[error("The notes cannot be reached now; try again later.")]
    Store(#[source] StoreError),
    #[error("There are too many notes; delete some first.")]
    Full,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => Self::Full,
            error => Self::Store(error),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadId | Self::TooLong | Self::NoPins | Self::NoSearch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Body(rejection) => rejection.status(),
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
        };
        if let Self::Store(error) = &self {
            tracing::error!(error = error as &dyn std::error::Error, "the store failed");
        }
        let body = Json(json!({ "error": self.to_string() }));
        match self {
            Self::Unauthorized => (status, [(WWW_AUTHENTICATE, "Bearer")], body).into_response(),
            _ => (status, body).into_response(),
        }
    }
}
