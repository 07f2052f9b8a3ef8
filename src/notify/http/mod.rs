//! [`Http`]: how every channel that speaks HTTP sends: one request, one answer, and what that answer means for a notification.
//!
//! ```text
//! Request --> reqwest (its own small runtime, deadline, no redirects) --> Answer --> judge (status, Retry-After) --> NotifyError
//! ```

mod answer;
mod client;
mod retry_after;
mod transport_error;

pub(super) use answer::Answer;
pub(super) use client::{Http, Request};
pub(super) use transport_error::{certificate_fault, certificate_reason};
