//! A panic in one request is an answer 500, not a lost connection.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Completes with what `answer` answers, or with 500 when it panics. The panic hook has logged it by then.
pub(crate) async fn recover(answer: impl Future<Output = Response>) -> Response {
    let mut answer = pin!(answer);
    poll_fn(|context| {
        // A future that panicked is not polled again, so nothing can see what it left half done but through locks,
        // which are poisoned.
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(StatusCode::INTERNAL_SERVER_ERROR.into_response()))
    })
    .await
}
