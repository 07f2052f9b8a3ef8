//! [`Http`]: sends the requests of all HTTP integrations: one request, one answer, and what it means for a
//! notification.
//!
//! ```text
//! Request --> reqwest (own runtime, deadline, no redirects) --> HttpResponse --> check_status --> NotifyError
//! ```

mod answer;
mod client;
mod retry_after;
mod transport_error;

pub(super) use answer::{HttpResponse, StatusFault};
pub(super) use client::{Http, Request};
pub(crate) use retry_after::retry_after;
pub(super) use transport_error::{certificate_error, certificate_reason};
