//! Each way of tampering with an export, as somebody without the site's key can go about it: with the lines alone, and with all hashes computed
//! anew.

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use wardlight_core::hex;

use super::*;
use crate::audit_export::{sign, signer};

const SITE: &str = "st-mary";
/// Every fifth record is a signed head.
const BATCH: u64 = 5;

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn public() -> Vec<u8> {
    pair(7).public_key().as_ref().to_vec()
}

/// A trail of 13 records behind record 2.
fn trail() -> Vec<Exported> {
    let mut before: Head = format!("2:{}", "5a".repeat(32)).parse().unwrap();
    let mut all = Vec::new();
    for n in 3..=15_u64 {
        let at_ms = 1_700_000_000_000 + n.cast_signed();
        let raw = if n % BATCH == 0 {
            let entry = signer::record(&pair(7), &before).entry(wardlight_core::time::Timestamp::from_millis(at_ms));
            String::from_utf8(entry.body).unwrap()
        } else {
            json!({"by": "N. Klein", "action": "view", "bed": format!("B{n:02}"), "outcome": "done"}).to_string()
        };
        let head = before.after(at_ms, raw.as_bytes());
        all.push(Exported {
            head,
            before,
            at_ms,
            raw,
        });
        before = head;
    }
    all
}

/// The lines of an export, the end last.
fn export(format: Format, all: &[Exported], signer: &Ed25519KeyPair) -> Vec<String> {
    let end = End {
        v: 1,
        site: SITE.to_owned(),
        base: all[0].before.to_string(),
        head: all.last().unwrap().head.to_string(),
        records: all.len() as u64,
        signed_at: 1_700_000_100_000,
        public_key: hex::encode(&public()),
    };
    let mut lines: Vec<String> = all.iter().map(|one| format.line(SITE, one).to_string()).collect();
    let signature = sign(signer, &end.message());
    lines.push(format.end(&end, &signature).unwrap().to_string());
    lines
}

fn fault(lines: &[String]) -> Fault {
    verify(&lines.join("\n"), &public(), None).unwrap_err()
}

/// All hashes from `from` on, computed anew.
fn rechained(mut all: Vec<Exported>) -> Vec<Exported> {
    for at in 1..all.len() {
        all[at].before = all[at - 1].head;
        all[at].head = all[at].before.after(all[at].at_ms, all[at].raw.as_bytes());
    }
    all
}

const FORMATS: [Format; 2] = [Format::Jsonl, Format::Fhir];

#[test]
fn what_nobody_touched_is_sound_and_a_noted_head_is_looked_for() {
    for format in FORMATS {
        let text = export(format, &trail(), &pair(7)).join("\n");
        let sound = verify(&text, &public(), None).unwrap();
        assert_eq!((sound.heads, sound.end.records), (3, 13));
        let noted = trail()[4].head;
        verify(&text, &public(), Some(&noted)).unwrap();
        let other = Head { hash: [0; 32], ..noted };
        assert_eq!(verify(&text, &public(), Some(&other)), Err(Fault::NotAsNoted { n: noted.n }));
        let newer = Head { n: 99, ..noted };
        assert_eq!(verify(&text, &public(), Some(&newer)), Err(Fault::NotAsNoted { n: 99 }));
    }
}

#[test]
fn a_cut_is_found_wherever_it_is_made() {
    for format in FORMATS {
        let lines = export(format, &trail(), &pair(7));
        assert_eq!(fault(&lines[..5]), Fault::NoEnd);
        assert_eq!(fault(&[]), Fault::NoEnd);
        let end = lines.last().unwrap().clone();
        let cut = [&lines[..9], std::slice::from_ref(&end)].concat();
        assert_eq!(fault(&cut), Fault::Truncated { from: 12, to: 15 });
        let begun_later = lines[2..].to_vec();
        assert_eq!(fault(&begun_later), Fault::Missing { line: 1, from: 3, to: 4 });
        let without_one = [&lines[..3], &lines[4..]].concat();
        assert_eq!(fault(&without_one), Fault::Missing { line: 4, from: 6, to: 6 });
        // An end of their own, and one that names an earlier record with the signature of the true one.
        let short = export(format, &trail()[..9], &pair(8));
        assert_eq!(fault(&short), Fault::EndAltered);
        let renamed = end.replace(&trail()[12].head.to_string(), &trail()[8].head.to_string());
        let renamed = [&lines[..9], &[renamed]].concat();
        assert_eq!(fault(&renamed), Fault::EndAltered);
    }
}

#[test]
fn an_edited_record_is_named() {
    for format in FORMATS {
        for at in [0, 5, 12] {
            let mut lines = export(format, &trail(), &pair(7));
            let altered = lines[at]
                .replace("B0", "B9")
                .replace("B1", "B8")
                .replace("audit_head", "audit_heat");
            lines[at] = altered;
            assert_eq!(
                fault(&lines),
                Fault::Altered {
                    line: at + 1,
                    n: at as u64 + 3
                },
                "{}",
                lines[at]
            );
        }
        // What a person reads beside the record, the record as it was.
        let mut lines = export(format, &trail(), &pair(7));
        lines[3] = lines[3].replacen("N. Klein", "N. Gross", 1);
        assert_eq!(fault(&lines), Fault::Altered { line: 4, n: 6 });
        lines[3] = "not a record".to_owned();
        assert_eq!(fault(&lines), Fault::Unreadable { line: 4 });
    }
}

#[test]
fn an_inserted_and_a_moved_record_are_named() {
    for format in FORMATS {
        let lines = export(format, &trail(), &pair(7));
        let mut twice = lines.clone();
        twice.insert(6, lines[2].clone());
        assert_eq!(fault(&twice), Fault::Inserted { line: 7, n: 5 });
        let mut moved = lines.clone();
        moved.swap(3, 4);
        assert_eq!(fault(&moved), Fault::Reordered { line: 4, n: 7 });
        // A forged record in the true one's place, with a fitting link of its own.
        let mut all = trail();
        let raw = all[5].raw.replace("Klein", "Gross");
        all[5].head = all[5].before.after(all[5].at_ms, raw.as_bytes());
        all[5].raw = raw;
        let end = lines.last().unwrap().clone();
        let mut forged: Vec<String> = all.iter().map(|one| format.line(SITE, one).to_string()).collect();
        forged.push(end);
        assert_eq!(fault(&forged), Fault::Rewritten { from: 5, to: 9 });
    }
}

#[test]
fn a_chain_computed_anew_is_caught_by_the_next_signed_head() {
    for format in FORMATS {
        let end = export(format, &trail(), &pair(7)).pop().unwrap();
        let tampered = |change: &dyn Fn(&mut Vec<Exported>)| {
            let mut all = trail();
            change(&mut all);
            let mut lines: Vec<String> = rechained(all).iter().map(|one| format.line(SITE, one).to_string()).collect();
            lines.push(end.clone());
            fault(&lines)
        };
        let edited = tampered(&|all| all[3].raw = all[3].raw.replace("Klein", "Gross"));
        assert_eq!(edited, Fault::Rewritten { from: 5, to: 10 });
        let swapped = tampered(&|all| {
            let (a, b) = (all[8].raw.clone(), all[9].raw.clone());
            (all[8].raw, all[9].raw) = (b, a);
        });
        assert_eq!(swapped, Fault::Rewritten { from: 10, to: 15 });
    }
}
