//! Posts that others send to this daemon: what `POST /api/v1/posts` takes. The route itself is in `web`.

mod config;

pub use config::Config;
