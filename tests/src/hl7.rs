//! A sender of HL7 v2 over MLLP, as a monitor's gateway or an admission system is one.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use wardlight_core::time::Timestamp;
use wardlight_wire::hl7::mllp::{Frame, Frames, frame};
use wardlight_wire::hl7::read::Hl7;
use wardlight_wire::hl7::time::write;

use crate::mqtt::Wire;
use crate::tls::{Identity, Tls};
use crate::wait::now_ms;

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// `AA`, `AE` or `AR`.
    pub code: String,
    /// Of which message.
    pub control_id: String,
    /// `ERR-2` of what was refused.
    pub place: String,
}

/// A connection to a receiver on loopback.
pub struct Sender {
    wire: Arc<dyn Wire>,
    frames: Frames,
    unread: Vec<u8>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender of {:?}", self.wire.socket())
    }
}

impl Sender {
    /// Connects.
    /// # Errors
    /// If nobody listens.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Self::over(Arc::new(stream))
    }

    /// Connects over TLS, with a certificate.
    /// # Errors
    /// If nobody listens, or one of both refuses the other at once.
    pub fn connect_as(identity: &Identity, port: u16) -> io::Result<Self> {
        Self::over(Arc::new(Tls::connect(identity, port)?))
    }

    fn over(wire: Arc<dyn Wire>) -> io::Result<Self> {
        wire.socket().set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self {
            wire,
            frames: Frames::new(64 * 1024),
            unread: Vec::new(),
        })
    }

    /// Sends any bytes, framed.
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.wire.write_all(&frame(message))
    }

    /// The next answer.
    /// # Errors
    /// If the connection is gone, or nothing comes within 20 s.
    pub fn answer(&mut self) -> io::Result<Acknowledged> {
        loop {
            let (taken, found) = self.frames.take(&self.unread);
            self.unread.drain(..taken);
            if let Some(Frame::Message(message)) = found {
                let text = String::from_utf8(message).unwrap();
                let message = Hl7::read(&text).unwrap();
                let field = |segment: &str, number| message.segment(segment).map_or("", |segment| segment.field(number).raw());
                return Ok(Acknowledged {
                    code: field("MSA", 1).to_owned(),
                    control_id: field("MSA", 2).to_owned(),
                    place: field("ERR", 2).to_owned(),
                });
            }
            let mut buffer = [0; 4096];
            match self.wire.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.unread.extend(&buffer[..read]),
            }
        }
    }

    /// Sends a message and returns its answer.
    /// # Errors
    /// As the two.
    pub fn exchange(&mut self, message: &str) -> io::Result<Acknowledged> {
        self.send(message.as_bytes())?;
        self.answer()
    }
}

/// `ORU^R01` of one device with one value; `processing` is `P`, or `D` in demo mode.
pub fn observation(control_id: &str, processing: &str, device: &str, at_ms: i64, observed: &str) -> String {
    let at = write(Timestamp::from_millis(at_ms));
    format!(
        "MSH|^~\\&|gateway|icu|||{at}||ORU^R01^ORU_R01|{control_id}|{processing}|2.6\r\
         PID|||4711^^^h^MR||Planted^Name\r\
         OBR|1|||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{at}\r\
         OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||{device}^^0012^EUI-64\r\
         OBX|2|NM|{observed}||||||R|||{at}\r"
    )
}

/// Systolic pressure of the cuff, up to `OBX-6`; its limits alarm without delay.
pub fn systolic(mmhg: u32) -> String {
    format!("150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.4.1.150021|{mmhg}|266016^MDC_DIM_MMHG^MDC")
}

/// `ADT` of a patient, whose number and name are given.
pub fn movement(event: &str, control_id: &str, (number, name): (&str, &str), at: &str, from: &str) -> String {
    let now = write(Timestamp::from_millis(now_ms()));
    format!(
        "MSH|^~\\&|adt|h|||{now}||ADT^{event}|{control_id}|P|2.5\rEVN||{now}\r\
         PID|||{number}^^^h^MR||{name}||19500615|F\rPV1||I|{at}|||{from}\r"
    )
}
