//! Which requests pass, with which session.

use axum::Router;
use axum::body::Body;
use axum::http::header;
use axum::routing::any;
use tower::ServiceExt as _;

use super::*;

fn router(gate: &Gate) -> Router {
    let layer = axum::middleware::from_fn_with_state(gate.clone(), guard);
    Router::new().fallback(any(|| async { "reached" })).layer(layer)
}

async fn status(gate: &Gate, method: Method, path: &str, cookie: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(cookie) = cookie {
        let session = cookie.split_once('=').unwrap().1;
        request = request.header(header::COOKIE, cookie).header("x-form-token", form_token::of(session));
    }
    let response = router(gate).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let to = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    (response.status(), to.unwrap_or_default())
}

fn now() -> Timestamp {
    Timestamp::now()
}

#[tokio::test]
async fn on_loopback_everything_is_open() {
    let gate = Gate::new(true, PathBuf::from("/nowhere"));
    assert!(!gate.is_closed());
    for path in ["/", "/posts", "/metrics"] {
        assert_eq!(status(&gate, Method::GET, path, None).await.0, StatusCode::OK);
    }
    assert_eq!(status(&gate, Method::POST, "/silences", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn elsewhere_each_role_may_do_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Gate::new(false, dir.path().into());
    assert_eq!(gate.sign_in("ann", "whatever it is", now()).unwrap(), Err(Refusal::NoUsers));
    let mut users = Users::default();
    for role in [Role::Viewer, Role::Analyst, Role::Operator] {
        users.add(role.as_str(), role, "a long password", now()).unwrap();
    }
    users.save(dir.path()).unwrap();
    for open in ["/metrics", "/-/ready", "/assets/style.css", "/api/v1/status", "/sign-in"] {
        assert_eq!(status(&gate, Method::GET, open, None).await.0, StatusCode::OK, "{open}");
    }
    let (code, to) = status(&gate, Method::GET, "/posts?topic=a&label=negative", None).await;
    assert_eq!((code, to.as_str()), (StatusCode::SEE_OTHER, "/sign-in?to=%2Fposts%3Ftopic%3Da%26label%3Dnegative"));
    assert_eq!(status(&gate, Method::GET, "/live", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&gate, Method::POST, "/silences", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&gate, Method::GET, "/posts", Some("vigie_session=00")).await.0, StatusCode::SEE_OTHER);
    for role in [Role::Viewer, Role::Analyst, Role::Operator] {
        let cookie = gate.sign_in(role.as_str(), "a long password", now()).unwrap().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        let cookie = cookie.split(';').next().unwrap().to_owned();
        for (method, path, needed) in [
            (Method::GET, "/posts", Role::Viewer),
            (Method::POST, "/posts/labels", Role::Analyst),
            (Method::POST, "/analyse", Role::Analyst),
            (Method::POST, "/silences", Role::Operator),
            (Method::POST, "/alerts/A-1", Role::Operator),
            (Method::POST, "/receivers/desk/test", Role::Operator),
            // What nobody thought of is an operator's.
            (Method::DELETE, "/anything", Role::Operator),
        ] {
            let expected = if role >= needed { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(
                status(&gate, method.clone(), path, Some(&cookie)).await.0,
                expected,
                "{role:?} {method} {path}"
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        assert!(gate.sign_out(&headers).contains("Max-Age=0"));
        assert_eq!(status(&gate, Method::GET, "/posts", Some(&cookie)).await.0, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_form_without_the_token_of_its_session_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut users = Users::default();
    users.add("ann", Role::Operator, "a long password", now()).unwrap();
    users.save(dir.path()).unwrap();
    let gate = Gate::new(false, dir.path().into());
    let sign_in = || {
        let cookie = gate.sign_in("ann", "a long password", now()).unwrap().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    };
    let (mine, other) = (sign_in(), sign_in());
    let post = async |body: String| {
        let request = Request::builder().method(Method::POST).uri("/silences").header(header::COOKIE, &mine);
        router(&gate).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status()
    };
    let token = |cookie: &str| form_token::of(cookie.split_once('=').unwrap().1);
    assert_eq!(post("hours=1".into()).await, StatusCode::FORBIDDEN);
    assert_eq!(post(format!("form_token={}", token(&other))).await, StatusCode::FORBIDDEN);
    assert_eq!(post(format!("hours=1&form_token={}", token(&mine))).await, StatusCode::OK);
}

#[tokio::test]
async fn a_removed_user_is_signed_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut users = Users::default();
    users.add("ann", Role::Operator, "a long password", now()).unwrap();
    users.save(dir.path()).unwrap();
    let gate = Gate::new(false, dir.path().into());
    let cookie = gate.sign_in("ann", "a long password", now()).unwrap().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(status(&gate, Method::POST, "/silences", Some(cookie)).await.0, StatusCode::OK);
    users.remove("ann").unwrap();
    users.save(dir.path()).unwrap();
    assert_eq!(status(&gate, Method::POST, "/silences", Some(cookie)).await.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn guessing_is_slowed_down_even_for_the_right_password() {
    let dir = tempfile::tempdir().unwrap();
    let mut users = Users::default();
    users.add("ann", Role::Viewer, "a long password", now()).unwrap();
    users.save(dir.path()).unwrap();
    let gate = Gate::new(false, dir.path().into());
    let at = Timestamp::from_second(1_000).unwrap();
    for _ in 0..3 {
        assert_eq!(gate.sign_in("ann", "a wrong password", at).unwrap(), Err(Refusal::Wrong));
    }
    assert_eq!(gate.sign_in("ann", "a long password", at).unwrap(), Err(Refusal::Wait(1)));
    assert!(gate.sign_in("ann", "a long password", Timestamp::from_second(1_001).unwrap()).unwrap().is_ok());
}
