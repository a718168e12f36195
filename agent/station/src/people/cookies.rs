//! What a browser carries: the right of a display, and the token of a person.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{self, HeaderMap};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use wardlight_core::hex::{decode, encode};
use wardlight_core::time::Timestamp;

use super::session::Session;

/// Name of the display's cookie.
pub(crate) const DISPLAY: &str = "wardlight_display";
/// Name of the person's cookie.
pub(crate) const SESSION: &str = "wardlight_session";
/// All cookies of a request together, in bytes; ours take 200.
pub(crate) const MAX_COOKIES: usize = 4096;
/// What the display's signature is about, so that it is good for nothing else.
const DOMAIN: &str = "wardlight display v1 ";

/// Who comes, by the cookies of the request or of the socket's opening.
#[derive(Clone, Default)]
pub(crate) struct Visitor {
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) display_until: Option<Timestamp>,
    pub(crate) address: Option<IpAddr>,
    /// Whether a cookie of ours came along: then a change must prove that our own page asks for it.
    pub(crate) by_cookie: bool,
}

/// The value of a cookie; the first, if a browser sends several of one name.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Bytes of all cookies together.
pub(crate) fn length(headers: &HeaderMap) -> usize {
    headers.get_all(header::COOKIE).iter().map(header::HeaderValue::len).sum()
}

/// The header that sets a cookie. `secure` where the page came over TLS: then the browser never sends it in clear.
pub(crate) fn set(name: &str, value: &str, lasts: Duration, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = lasts.as_secs();
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// A new token: 256 random bits in hex. `None` if the system has no randomness.
pub(crate) fn new_token() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(encode(&bytes))
}

/// The right of a display until then: the date and its signature.
pub(crate) fn sign_display(key: &[u8; 32], until: Timestamp) -> String {
    let tag = hmac::sign(&signing(key), subject(until).as_bytes());
    format!("{until}.{}", encode(tag.as_ref()))
}

/// Until when a display's right lasts, if it is one of ours.
pub(crate) fn read_display(key: &[u8; 32], value: &str) -> Option<Timestamp> {
    let (until, tag) = value.split_once('.')?;
    let until = Timestamp::from_millis(until.parse().ok()?);
    hmac::verify(&signing(key), subject(until).as_bytes(), &decode(tag)?).ok()?;
    Some(until)
}

fn signing(key: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

fn subject(until: Timestamp) -> String {
    format!("{DOMAIN}{until}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_is_believed_only_with_our_signature() {
        let until = Timestamp::from_millis(1_700_000_000_000);
        let signed = sign_display(&[1; 32], until);
        assert_eq!(read_display(&[1; 32], &signed), Some(until));
        assert_eq!(read_display(&[2; 32], &signed), None);
        let later = signed.replacen("17", "18", 1);
        for forged in [later.as_str(), "", ".", "5", "5.", "5.zz", &signed[..signed.len() - 2]] {
            assert_eq!(read_display(&[1; 32], forged), None, "{forged}");
        }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; wardlight_session=x; b=2".parse().unwrap());
        headers.append(header::COOKIE, "wardlight_display=y=z".parse().unwrap());
        assert_eq!(read(&headers, SESSION), Some("x"));
        assert_eq!(read(&headers, DISPLAY), Some("y=z"));
        assert_eq!(read(&headers, "session"), None);
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
    }
}
