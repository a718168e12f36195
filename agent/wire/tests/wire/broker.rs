//! The commands of `docs/devices.md`, pasted into a shell, through a real Mosquitto.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use wardlight_core::time::Timestamp;
use wardlight_wire::decode;

use crate::document::commands;

const PATIENCE: Duration = Duration::from_secs(20);

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a process; its standard output and error arrive line by line.
fn start(program: &str, arguments: &[&str]) -> (Process, Receiver<String>) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}; apt-get install mosquitto mosquitto-clients"));
    let (sender, lines) = sync_channel(1024);
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let forward = |reader: Box<dyn BufRead + Send>| {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        })
    };
    drop((forward(Box::new(BufReader::new(out))), forward(Box::new(BufReader::new(err)))));
    (Process(child), lines)
}

fn wait_for(lines: &Receiver<String>, mark: &str) -> String {
    loop {
        let line = lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|e| panic!("waiting for {mark:?}: {e}"));
        if line.contains(mark) {
            return line;
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
#[ignore = "needs mosquitto, mosquitto-clients and xxd; run with --ignored"]
fn document_commands_go_through_a_real_broker() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    let mosquitto = if std::path::Path::new("/usr/sbin/mosquitto").exists() {
        "/usr/sbin/mosquitto"
    } else {
        "mosquitto"
    };
    let (_broker, log) = start(mosquitto, &["-v", "-p", &port]);
    wait_for(&log, "running");
    let listen = ["-p", &port, "-q", "1", "-t", "vitals/v1/#", "-F", "%t %x"];
    let (_listener, heard) = start("mosquitto_sub", &listen);
    wait_for(&log, "Sending SUBACK");
    for command in commands() {
        let line = command.line.replace("-h localhost", &format!("-h 127.0.0.1 -p {port}"));
        let status = Command::new("bash").args(["-c", &line]).status().unwrap();
        assert!(status.success(), "{line}");
        let message = wait_for(&heard, "vitals/v1/site/");
        let (topic, payload) = message.split_once(' ').unwrap();
        assert_eq!(topic, command.topic);
        let decoded = decode(topic, &bytes(payload), None, Timestamp::from_millis(0)).unwrap_or_else(|e| panic!("{line}\n{e}"));
        assert_eq!(decoded.rejected, [], "{line}");
    }
}
