//! People at a real agent: login, roles, displays, the audit trail over a kill, and the login form in a real browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use wardlight_tests::agent::{Broker, Site, run};
use wardlight_tests::browser::Browser;
use wardlight_tests::wait::until;

const PASSWORD: &str = "correct horse battery";

/// A site with a login: nurse `klein`, biomed `bauer`.
fn site() -> Site {
    let site = Site::new(Broker::Embedded, "[people]\nusers_file = \"users.toml\"");
    for (name, role) in [("klein", "nurse"), ("bauer", "biomed")] {
        let file = password_file(&site);
        let added = site.command(&["user", "add", name, "--role", role, "--password-file", file.to_str().unwrap()]);
        assert!(added.status.success(), "{added:?}");
    }
    site
}

fn password_file(site: &Site) -> PathBuf {
    let file = site.dir().join("password");
    fs::write(&file, PASSWORD).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// `wardlight bed ARGS`, logged in as `user`, or not at all.
fn bed(site: &Site, user: Option<&str>, args: &[&str]) -> Output {
    let url = format!("http://127.0.0.1:{}", site.http);
    let file = password_file(site);
    let mut all = vec!["bed"];
    all.extend(args);
    all.extend(["--url", &url]);
    if let Some(user) = user {
        all.extend(["--user", user, "--password-file", file.to_str().unwrap()]);
    }
    run(&all)
}

fn verify(site: &Site, more: &[&str]) -> (bool, String) {
    let output = site.command(&[&["audit", "verify"], more].concat());
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_people_do_stands_in_a_trail_that_survives_a_kill() {
    let site = site();
    let agent = site.start();
    let stranger = bed(&site, None, &["list"]);
    assert!(!stranger.status.success());
    let said = String::from_utf8_lossy(&stranger.stderr).into_owned();
    assert!(said.contains("the agent asks for a login: use --user NAME"), "{said}");

    let admitted = bed(&site, Some("klein"), &["admit", "B01", "--name", "Quentin Marlowe-Haddock"]);
    assert!(admitted.status.success(), "{admitted:?}");
    let refused = bed(&site, Some("bauer"), &["discharge", "B01"]);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("not for the role biomed"),
        "{refused:?}"
    );
    let listed = bed(&site, Some("bauer"), &["list"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("Marlowe"), "{listed:?}");
    let listed = bed(&site, Some("klein"), &["list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("Marlowe"), "{listed:?}");

    // The admission was confirmed, so its record is on disk.
    agent.kill();
    let (whole, said) = verify(&site, &[]);
    assert!(whole, "{said}");
    let head = said.lines().find_map(|line| line.strip_prefix("Head: ")).unwrap().to_owned();
    let records = site.audit_trail();
    assert_eq!(records[0]["action"], "users");
    let admission = records.iter().find(|record| record["action"] == "admit").unwrap();
    assert_eq!(
        (admission["user"].as_str(), admission["role"].as_str()),
        (Some("klein"), Some("nurse"))
    );
    assert!(
        admission.get("unproved").is_none(),
        "a password proved who it was: {admission}"
    );
    assert_eq!(
        (admission["bed"].as_str(), admission["outcome"].as_str()),
        (Some("B01"), Some("done"))
    );
    assert_eq!(admission["station"], "127.0.0.1");
    assert_eq!(admission["stay"].as_str().unwrap().len(), 32);
    assert!(
        records
            .iter()
            .any(|record| record["action"] == "ask" && record["user"] == "bauer"),
        "{records:?}"
    );
    assert!(
        !format!("{records:?}").contains("Marlowe"),
        "a patient's name is in the trail"
    );

    // It goes on after the restart, and what was noted before is still in it.
    let agent = site.start();
    let discharged = bed(&site, Some("klein"), &["discharge", "B01"]);
    assert!(discharged.status.success(), "{discharged:?}");
    assert!(agent.terminate().success());
    let (whole, said) = verify(&site, &["--head", &head]);
    assert!(whole, "{said}");
    assert!(site.audit_trail().len() > records.len());
    let (kept, last) = head.split_at(head.len() - 1);
    let forged = format!("{kept}{}", if last == "0" { "1" } else { "0" });
    let (whole, said) = verify(&site, &["--head", &forged]);
    assert!(!whole && said.contains("BROKEN at record"), "{said}");
    site.assert_sound();
}

#[test]
fn who_is_removed_while_the_agent_runs_cannot_log_in_and_it_is_audited() {
    let site = site();
    let agent = site.start();
    assert!(site.command(&["user", "remove", "klein"]).status.success());
    let refused = bed(&site, Some("klein"), &["list"]);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("name or password is wrong"),
        "{refused:?}"
    );
    until("the record of the removal", 10, || {
        site.audit_trail()
            .into_iter()
            .find(|record| record["action"] == "user_removed")
    });
    drop(agent);
}

#[test]
fn the_login_form_the_page_and_the_display_in_a_browser() {
    let site = site();
    let agent = site.start();
    assert!(
        bed(&site, Some("klein"), &["admit", "B03", "--name", "Marlowe"])
            .status
            .success()
    );
    let mut browser = Browser::open(&format!("http://127.0.0.1:{}/", site.http));
    let tiles = "document.querySelectorAll('#grid .tile').length";
    let text = "document.body.innerText";
    until("the login form", 30, || {
        (browser.evaluate("document.querySelectorAll('dialog[open] form').length") == 1).then_some(())
    });
    assert_eq!(browser.evaluate(tiles), 0);
    let fill = format!(
        "{{ const [n, p] = document.querySelectorAll('dialog[open] input'); n.value = 'klein'; p.value = '{PASSWORD}'; \
         document.querySelector('dialog[open] form').requestSubmit(); }}"
    );
    browser.evaluate(&fill);
    until("twelve tiles", 30, || (browser.evaluate(tiles) == 12).then_some(()));
    until("the patient's name", 10, || {
        browser.evaluate(text).as_str()?.contains("Marlowe").then_some(())
    });
    browser.evaluate("[...document.querySelectorAll('#login button')].find((b) => b.textContent === 'Log off').click()");
    until("a display without names", 10, || {
        let text = browser.evaluate(text);
        let text = text.as_str()?;
        (text.contains("nobody logged in") && !text.contains("Marlowe")).then_some(())
    });
    assert_eq!(browser.evaluate(tiles), 12);
    drop(agent);
}
