//! The receiver's answer to a message: `MSA`.

/// What the receiver says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// MSA-2: of which message.
    pub control_id: String,
    /// MSA-1 begins with an accepting code, `AA` or `CA`.
    pub accepted: bool,
    /// MSA-1, and MSA-3 if there is one: for the log.
    pub text: String,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// It has no MSH or no MSA segment.
    #[error("HL7 answer: no {0} segment")]
    Missing(&'static str),
    /// MSA-1 is no code of table 0008.
    #[error("HL7 answer: MSA-1 = {0:?}: expected AA, AE, AR, CA, CE or CR")]
    Code(String),
}

impl Ack {
    /// Reads an answer.
    /// # Errors
    /// [`AckError`] if it is none.
    pub fn read(message: &[u8]) -> Result<Self, AckError> {
        let text = String::from_utf8_lossy(message);
        let header = text.strip_prefix("MSH").ok_or(AckError::Missing("MSH"))?;
        let separator = header.chars().next().ok_or(AckError::Missing("MSH"))?;
        let mut segments = text.split(['\r', '\n']).map(|line| line.split(separator));
        let msa = segments.find_map(|mut fields| (fields.next() == Some("MSA")).then_some(fields));
        let mut msa = msa.ok_or(AckError::Missing("MSA"))?;
        let code = msa.next().unwrap_or_default();
        let accepted = match code {
            "AA" | "CA" => true,
            "AE" | "AR" | "CE" | "CR" => false,
            other => return Err(AckError::Code(other.chars().take(8).collect())),
        };
        let control_id = msa.next().unwrap_or_default().to_owned();
        let said = msa.next().unwrap_or_default();
        Ok(Self {
            control_id,
            accepted,
            text: format!("{code} {said}").trim_end().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(msa: &str) -> Result<Ack, AckError> {
        Ack::read(format!("MSH|^~\\&|am||agent||20260101||ACK^R40^ACK|9|P|2.6\r{msa}\r").as_bytes())
    }

    #[test]
    fn an_answer_says_which_message_and_whether_it_was_taken() {
        for (code, accepted) in [
            ("AA", true),
            ("CA", true),
            ("AE", false),
            ("AR", false),
            ("CE", false),
            ("CR", false),
        ] {
            let ack = read(&format!("MSA|{code}|id-1")).unwrap();
            assert_eq!((ack.control_id.as_str(), ack.accepted), ("id-1", accepted), "{code}");
        }
        assert_eq!(read("MSA|AE|id-1|no such bed").unwrap().text, "AE no such bed");
    }

    #[test]
    fn what_is_no_answer_is_named() {
        assert_eq!(read("PID|1"), Err(AckError::Missing("MSA")));
        assert_eq!(read("MSA|XX|1"), Err(AckError::Code("XX".into())));
        assert_eq!(Ack::read(b"hello"), Err(AckError::Missing("MSH")));
        assert_eq!(Ack::read(b"MSH"), Err(AckError::Missing("MSH")));
    }
}
