//! Passwords: hashed with argon2id, asked for without echo.

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::secret;

/// Shortest password, in characters. (*ratify*: NIST SP 800-63B-4 asks for 15 where the password is all there is, 8 beside another factor.)
const MIN_CHARS: usize = 10;
/// Longest password, in bytes.
const MAX_BYTES: usize = 256;
/// The cheapest and the dearest hash that is taken from a file: less protects nothing, more would stop the agent.
const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7 * 1024..=256 * 1024;
const PASSES: std::ops::RangeInclusive<u32> = 1..=16;
const LANES: std::ops::RangeInclusive<u32> = 1..=8;

/// Hashes a password with OWASP's parameters (19 MiB, 2 passes, 1 lane) and a new salt, as a PHC string.
/// # Errors
/// If the system has no randomness.
pub(crate) fn hash(password: &str) -> anyhow::Result<String> {
    let mut salt = [0; 16];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_gone| anyhow!("no randomness for a salt"))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow!("the salt: {error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
    let hash = argon2.hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| anyhow!("argon2: {error}"))?.to_string())
}

/// Whether the password is the one that was hashed. Takes as long as the hash's own parameters say.
pub(crate) fn verify(phc: &str, password: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Checks that a text is a hash that we would make or could have made.
/// # Errors
/// What was expected, as a clause.
pub(crate) fn check_hash(phc: &str) -> Result<(), String> {
    let shape = "must be an argon2id hash as `wardlight user` writes it, $argon2id$v=19$…";
    let hash = PasswordHash::new(phc).map_err(|error| format!("{shape}: {error}"))?;
    if hash.algorithm.as_str() != "argon2id" || hash.hash.is_none() || hash.salt.is_none() {
        return Err(shape.to_owned());
    }
    let params = Params::try_from(&hash).map_err(|error| format!("{shape}: {error}"))?;
    let bounded = MEMORY_KIB.contains(&params.m_cost()) && PASSES.contains(&params.t_cost()) && LANES.contains(&params.p_cost());
    if !bounded {
        return Err("must cost 7 to 256 MiB, 1 to 16 passes and 1 to 8 lanes".to_owned());
    }
    Ok(())
}

/// A new password: from the file or, twice and without echo, from the terminal.
/// # Errors
/// If it is too short or too long, or there is no terminal.
pub(crate) fn choose(file: Option<&Path>, user: &str) -> anyhow::Result<String> {
    let password = ask(file, &format!("New password for {user}: "))?;
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        bail!("the password must have {MIN_CHARS} characters to {MAX_BYTES} bytes");
    }
    if password.to_lowercase().contains(&user.to_lowercase()) {
        bail!("the password must not contain the name");
    }
    if file.is_none() && ask(None, "Once more: ")? != password {
        bail!("the two are not the same: nothing was changed");
    }
    Ok(password)
}

/// A password that exists already.
/// # Errors
/// If the file cannot be used, or there is none and no terminal.
pub(crate) fn ask(file: Option<&Path>, prompt: &str) -> anyhow::Result<String> {
    let Some(file) = file else {
        if !io::stdin().is_terminal() {
            bail!("no terminal to ask for a password: use --password-file");
        }
        return rpassword::prompt_password(prompt).context("the terminal");
    };
    let secret = secret::read(file).map_err(anyhow::Error::msg)?;
    String::from_utf8(secret).map_err(|_bytes| anyhow!("{}: must be text", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only_and_no_two_are_alike() {
        let (a, b) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert!(a.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{a}");
        assert_ne!(a, b);
        assert!(verify(&a, "correct horse") && !verify(&a, "correct hors") && !verify("", "correct horse"));
        check_hash(&a).unwrap();
    }

    #[test]
    fn hashes_that_protect_nothing_or_cost_too_much_are_refused() {
        let good = hash("correct horse").unwrap();
        let bad = [
            good.replace("argon2id", "argon2d"),
            good.replace("m=19456", "m=8"),
            good.replace("m=19456", "m=99999999"),
            good.replace("t=2", "t=99"),
            "plain".to_owned(),
            String::new(),
            "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
        ];
        for text in bad {
            assert!(check_hash(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_new_password_must_be_long_and_no_name() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let choose = |text: &str| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            super::choose(Some(&file), "klein")
        };
        assert_eq!(choose("correct horse\n").unwrap(), "correct horse");
        for bad in ["short", "xKLEINxxxxxx", &"x".repeat(257)] {
            assert!(choose(bad).is_err(), "{bad}");
        }
    }
}
