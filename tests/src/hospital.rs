//! A hospital's systems, faked: a FHIR server with a token endpoint, and an alarm manager behind MLLP. They take whatever looks right and
//! remember it; whether it is right is for `tests/interop.py` to say.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::target;

/// A FHIR server that is not one: `POST /r4` takes batches from who has a token of `POST /token`.
#[derive(Clone, Debug)]
pub struct FakeFhir {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_out: bool,
    tokens: u32,
    turned_away: u32,
    /// Every version of every resource that was put, by its URL.
    put: BTreeMap<String, Vec<Value>>,
}

impl FakeFhir {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let (listener, port) = listener();
        let fake = Self {
            port,
            state: Arc::default(),
        };
        let serving = fake.clone();
        serve_each(listener, move |stream| serving.serve(stream));
        fake
    }

    /// Out of order from now on, or back.
    pub fn is_out(&self, is_out: bool) {
        self.state.lock().unwrap().is_out = is_out;
    }

    /// Every token that was given is worth nothing any more.
    pub fn revoke(&self) {
        self.state.lock().unwrap().tokens += 1;
    }

    /// How many requests it turned away while it was out of order.
    pub fn turned_away(&self) -> u32 {
        self.state.lock().unwrap().turned_away
    }

    /// All versions of the resources that fit, by URL.
    pub fn put(&self, fits: impl Fn(&Value) -> bool) -> BTreeMap<String, Vec<Value>> {
        let state = self.state.lock().unwrap();
        let fitting = state.put.iter().filter(|(_, versions)| versions.iter().any(&fits));
        fitting.map(|(url, versions)| (url.clone(), versions.clone())).collect()
    }

    /// Writes the newest version of everything as a bundle, for the validators.
    pub fn keep(&self, name: &str) {
        let all = self.put(|_| true);
        let entry = |(url, versions): (&String, &Vec<Value>)| json!({"resource": versions.last(), "request": {"method": "PUT", "url": url}});
        let entries: Vec<Value> = all.iter().map(entry).collect();
        keep(
            name,
            &json!({"resourceType": "Bundle", "type": "batch", "entry": entries}).to_string(),
        );
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let (head, body) = read_request(stream)?;
        let (status, answer) = self.answer(&head, &body);
        let length = answer.len();
        write!(
            &*stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/fhir+json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
        )
    }

    fn answer(&self, head: &str, body: &str) -> (&'static str, String) {
        let mut state = self.state.lock().unwrap();
        if state.is_out {
            state.turned_away += 1;
            return ("503 Service Unavailable", String::new());
        }
        if head.starts_with("POST /token ") {
            state.tokens += 1;
            return (
                "200 OK",
                json!({"access_token": format!("t{}", state.tokens), "expires_in": 3600}).to_string(),
            );
        }
        if !head.contains(&format!("Bearer t{}\r\n", state.tokens)) {
            return ("401 Unauthorized", String::new());
        }
        let bundle: Value = serde_json::from_str(body).unwrap();
        let mut answers = Vec::new();
        for entry in bundle["entry"].as_array().unwrap() {
            let url = entry["request"]["url"].as_str().unwrap().to_owned();
            let versions = state.put.entry(url).or_default();
            versions.push(entry["resource"].clone());
            let status = if versions.len() == 1 { "201 Created" } else { "200 OK" };
            answers.push(json!({"response": {"status": status}}));
        }
        (
            "200 OK",
            json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers}).to_string(),
        )
    }
}

fn read_request(stream: &TcpStream) -> io::Result<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}

/// An alarm manager that is not one: it accepts every message.
#[derive(Clone, Debug)]
pub struct FakeAlarmManager {
    /// Where it listens.
    pub port: u16,
    messages: Arc<Mutex<Vec<String>>>,
}

impl FakeAlarmManager {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let (listener, port) = listener();
        let fake = Self {
            port,
            messages: Arc::default(),
        };
        let serving = fake.clone();
        serve_each(listener, move |stream| serving.serve(stream));
        fake
    }

    /// What came so far, in order.
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap().clone()
    }

    /// Writes what came, for the validators.
    pub fn keep(&self, name: &str) {
        let lines = |message: &String| message.trim_end().replace('\r', "\n");
        keep(name, &self.messages().iter().map(lines).collect::<Vec<_>>().join("\n\n"));
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut frame = Vec::new();
            if reader.read_until(0x1c, &mut frame)? == 0 {
                return Ok(());
            }
            reader.read_exact(&mut [0])?;
            let message = String::from_utf8_lossy(&frame).trim_matches(['\u{b}', '\u{1c}']).to_owned();
            let id = message.split('|').nth(9).unwrap_or_default().to_owned();
            self.messages.lock().unwrap().push(message);
            write!(
                &*stream,
                "\u{b}MSH|^~\\&|manager||||20260101||ACK^R40^ACK|1|P|2.6\rMSA|CA|{id}\r\u{1c}\r"
            )?;
        }
    }
}

/// Puts what was sent where `tests/run` looks for it.
fn keep(name: &str, text: &str) {
    let folder = target().join("interop/sent");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

/// A free port of loopback.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves each connection on a thread of its own, until the process ends.
fn serve_each(listener: TcpListener, serve: impl Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(&stream).ok());
        }
    });
}
