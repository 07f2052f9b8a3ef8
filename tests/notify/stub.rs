//! An HTTP server for a test: it plays a script, and records the requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The whole request, in the body of a 400.
    Echo,
    /// The head of an answer that never ends.
    Unfinished {
        status: u16,
    },
    /// An endless body.
    Huge {
        status: u16,
    },
    /// Nothing at all, with the connection open.
    Silence,
    /// The connection is closed instead of answered.
    Close,
    /// The connection is reset instead of answered.
    Reset,
    /// Not HTTP.
    Garbage,
}

impl Play {
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(status: u16, header: (&'static str, &str), body: &str) -> Self {
        Self::Answer { status, headers: vec![(header.0, header.1.into())], body: body.into() }
    }
}

/// A recorded request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    pub(crate) line: String,
    /// By names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// See the module. Its thread ends with the test.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    play: Arc<Mutex<Play>>,
    got: Receiver<Got>,
}

impl Stub {
    pub(crate) fn start(play: Play) -> Self {
        Self::serve(play, None)
    }

    /// With TLS and this certificate.
    pub(crate) fn with_tls(certificate: &str, play: Play) -> Self {
        let folder = crate::common::repository("tests/fixtures/tls");
        let chain = CertificateDer::from_pem_file(folder.join(format!("{certificate}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![chain], key).unwrap();
        Self::serve(play, Some(Arc::new(config)))
    }

    fn serve(play: Play, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, got) = channel();
        let play = Arc::new(Mutex::new(play));
        let shared = play.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (play, tell) = (shared.lock().unwrap().clone(), tell.clone());
                let tls = tls.clone();
                // A connection may last: the next one must not wait for it.
                std::thread::spawn(move || match tls {
                    None => answer(stream, &play, &tell),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        answer(rustls::StreamOwned::new(connection, stream), &play, &tell);
                    }
                });
            }
        });
        Self { address, play, got }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn play(&self, play: Play) {
        *self.play.lock().unwrap() = play;
    }

    /// All requests so far.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.try_iter().collect()
    }
}

/// A connection, with TLS or without.
trait Connection: Read + Write {
    fn tcp(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Connection for rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

fn answer(stream: impl Connection, play: &Play, tell: &Sender<Got>) {
    if matches!(play, Play::Reset) {
        // Closing a socket with unread data resets it.
        let _ = stream.tcp().peek(&mut [0]);
        return;
    }
    let mut stream = BufReader::new(stream);
    let Ok(got) = read(&mut stream) else { return };
    let _ = tell.send(got.clone());
    let mut stream = stream.into_inner();
    // The client may close at any point.
    let _ = perform(&mut stream, play, &got);
    let _ = stream.flush();
    if matches!(play, Play::Silence | Play::Unfinished { .. }) {
        // Until the client gives up.
        let _ = stream.read(&mut [0]);
    }
    let _ = stream.tcp().shutdown(Shutdown::Write);
    let _ = stream.read(&mut [0]);
}

fn perform(stream: &mut impl Connection, play: &Play, got: &Got) -> std::io::Result<()> {
    match play {
        Play::Answer { status, headers, body } => {
            write!(stream, "HTTP/1.1 {status} Played\r\nContent-Length: {}\r\n", body.len())?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            write!(stream, "\r\n{body}")
        }
        Play::Echo => {
            let mut body = format!("cannot take {}\n{:?}\n", got.line, got.headers).into_bytes();
            body.extend(&got.body);
            write!(stream, "HTTP/1.1 400 Played\r\nContent-Length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body)
        }
        Play::Unfinished { status } => {
            write!(stream, "HTTP/1.1 {status} Played\r\nContent-Length: 1000\r\n\r\nnot all")
        }
        Play::Huge { status } => {
            write!(stream, "HTTP/1.1 {status} Played\r\nContent-Length: 1000000000000\r\n\r\n")?;
            let chunk = [b'x'; 1 << 16];
            // Until the client closes.
            (0..1_000_000).try_for_each(|_| stream.write_all(&chunk))
        }
        Play::Silence | Play::Close | Play::Reset => Ok(()),
        Play::Garbage => stream.write_all(b"\x00\x01\x02 this is not HTTP\r\n\r\n\xff"),
    }
}

fn read(stream: &mut BufReader<impl Read>) -> std::io::Result<Got> {
    let mut got = Got::default();
    stream.read_line(&mut got.line)?;
    if got.line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    got.line = got.line.trim_end().to_owned();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        got.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = got.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    got.body = vec![0; length];
    stream.read_exact(&mut got.body)?;
    Ok(got)
}
