//! The reader by itself.

use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Parse<Scalar<'_>> {
    let mut json = Json::new(text.as_bytes())?;
    let value = json.scalar()?;
    json.finish()?;
    Ok(value)
}

#[test]
fn numbers_keep_their_exact_decimal() {
    assert_eq!(
        one("37.1").unwrap(),
        Scalar::Number(Number::Decimal {
            mantissa: 371,
            exponent: -1
        })
    );
    assert_eq!(one("-7").unwrap(), Scalar::Number(Number::Int(-7)));
    assert_eq!(one("9223372036854775807").unwrap(), Scalar::Number(Number::Int(i64::MAX)));
    assert_eq!(one("1e400").unwrap().number().unwrap().to_milli(), None);
}

#[test]
fn what_is_no_json_is_refused() {
    for bad in [
        "",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "1 1",
    ] {
        assert!(one(bad).is_err(), "{bad:?} was taken");
        assert!(
            serde_json::from_str::<serde_json::Value>(bad).is_err(),
            "{bad:?} is JSON after all"
        );
    }
}

#[test]
fn escapes_are_undone() {
    assert_eq!(one(r#""a\u00e9\ud83d\ude00\n""#).unwrap(), Scalar::Text("aé😀\n".into()));
}

#[test]
fn deep_nesting_is_refused_before_the_stack_suffers() {
    assert!(one(&("[".repeat(8) + &"]".repeat(8))).is_ok());
    assert!(one(&"[".repeat(60_000)).is_err());
}

proptest! {
    /// What serde_json takes this reader takes, and the other way round, but for numbers that are beyond a double.
    #[test]
    fn agrees_with_serde_json_on_what_is_json(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 1..12)) {
        let text = parts.concat();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assume!(!theirs.as_ref().is_err_and(|e| e.to_string().contains("out of range")));
        prop_assert_eq!(one(&text).is_ok(), theirs.is_ok(), "{}", text);
    }

    #[test]
    fn reads_every_double_as_serde_json_does(x in any::<f64>().prop_filter("finite", |x| x.is_finite())) {
        for text in [format!("{x:?}"), format!("{x:e}"), format!("{x}")] {
            let read = one(&text).unwrap().number().unwrap().to_f64();
            prop_assert_eq!(read.to_bits() << 1, x.to_bits() << 1, "{}", text);
        }
    }
}

const PARTS: [&str; 28] = [
    "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"\"", "\\", "\\n", "\\u00", "e9", "\\ud83d", "\\ude00", "0", "1", "-", ".",
    "e", "+", "12.5e3", "true", "null", " ", "\n", "\u{7f}", "\u{1}",
];
