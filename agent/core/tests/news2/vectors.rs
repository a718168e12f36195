//! Worked vectors, as data.

use wardlight_core::patient::{Consciousness, Spo2Scale};
use wardlight_core::scores::{Band, News2, News2Input};

/// Respiration rate, SpO2, scale, air or O2, systolic, pulse, ACVPU, temperature; then the points in that order (scale and
/// SpO2 are one part), the total, whether any part is 3, and the band. Rows 1 to 5 and 7 to 14 carry totals published in
/// danny-elz/NEWS2-Live; all agree with two public implementations.
pub(crate) const NEWS2: &str = "
    16  98 1 air 120  70 A 37.0 0+0+0+0+0+0+0  0 n low
    22  94 1 air 105  95 A 38.5 2+1+0+1+1+0+1  6 n medium
    30  89 1 O2   85 140 C 35.0 3+3+2+3+3+3+3 20 y high
    18  90 2 air 130  80 A 36.5 0+0+0+0+0+0+0  0 n low
    16  98 2 O2  125  75 A 36.8 0+3+2+0+0+0+0  5 y medium
    16  98 2 air 125  75 A 36.8 0+0+0+0+0+0+0  0 n low
     8  96 1 air 120  70 A 36.5 3+0+0+0+0+0+0  3 y low-medium
    25  96 1 air 120  70 A 36.5 3+0+0+0+0+0+0  3 y low-medium
    16  91 1 air 120  70 A 36.5 0+3+0+0+0+0+0  3 y low-medium
    16  83 2 air 120  70 A 36.5 0+3+0+0+0+0+0  3 y low-medium
    24  93 1 air  95 105 A 38.8 2+2+0+2+1+0+1  8 n high
    20  95 1 O2  110  88 A 37.8 0+1+2+1+0+0+0  4 n low
    26  86 2 O2  140  95 A 37.2 3+1+2+0+1+0+0  7 y high
    21  94 1 air 102  92 A 36.8 2+1+0+1+1+0+0  5 n medium
    18  96 1 air 125  88 V 37.2 0+0+0+0+0+3+0  3 y low-medium
    12  92 2 O2  111  51 A 36.1 0+0+2+0+0+0+0  2 n low
    20  93 2 O2  219  90 A 38.0 0+1+2+0+0+0+0  3 n low
    11  94 2 O2  110  50 A 36.0 1+1+2+1+1+0+1  7 n high
     9  95 2 O2  101  41 A 35.1 1+2+2+1+1+0+1  8 n high
    24  96 2 O2  100  91 A 38.1 2+2+2+2+1+0+1 10 n high
    21  97 2 O2   91 110 A 39.0 2+3+2+2+1+0+1 11 y high
    25  97 2 O2   90 111 A 39.1 3+3+2+3+2+0+2 15 y high
     8  84 2 air 220 130 P 39.1 3+2+0+3+2+3+2 15 y high
     8  85 2 O2  220 131 U 35.0 3+2+2+3+3+3+3 19 y high
    12  87 2 air  90  40 A 35.1 0+1+0+3+3+0+1  8 y high
    20  96 1 air 111  90 A 38.0 0+0+0+0+0+0+0  0 n low
    20  96 1 air 111  90 A 38.1 0+0+0+0+0+0+1  1 n low
    19  95 1 O2  118 111 A 37.4 0+1+2+0+2+0+0  5 n medium
    17  92 1 O2  128  84 A 36.9 0+2+2+0+0+0+0  4 n low
    14  99 1 air  88  58 A 36.6 0+0+0+3+0+0+0  3 y low-medium
    23  91 1 O2  101 118 A 38.4 2+3+2+1+2+0+1 11 y high
    28  88 2 O2   96 121 C 39.3 3+0+2+2+2+3+2 14 y high
";

/// The worked cases of openEHR's GDL2 guideline NEWS.v1 (Apache-2.0), in the same form. They are of NEWS (1), which scores
/// as NEWS2 does on scale 1 but for new confusion, and no case is confused: all seven apply.
const NEWS1: &str = "
    20  99 1 air  88  90 A 35 0+0+0+3+0+0+3  6 y medium
    20  99 1 air  88  49 A 36 0+0+0+3+1+0+1  5 y medium
    20  95 1 air  88  49 V 37 0+1+0+3+1+3+0  8 y high
    21  93 1 O2   88  40 P 37 2+2+2+3+3+3+0 15 y high
    11  91 1 O2   93 131 U 38 1+3+2+2+3+3+0 14 y high
     8  91 1 O2  101 127 U 39 3+3+2+1+2+3+1 15 y high
    25  91 1 O2  111 110 U 40 3+3+2+0+1+3+2 14 y high
";

/// One row of the tables.
pub(crate) struct Vector {
    pub(crate) input: News2Input,
    parts: Vec<Option<u8>>,
    total: u8,
    any_three: bool,
    band: Band,
}

pub(crate) fn rows(table: &str) -> Vec<Vector> {
    table.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

fn parse(line: &str) -> Vector {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let int = |i: usize| fields[i].parse::<i32>().ok();
    let temperature: f64 = fields[7].parse().unwrap();
    Vector {
        input: News2Input {
            resp_rate: int(0),
            spo2: int(1),
            scale: if fields[2] == "2" { Spo2Scale::Two } else { Spo2Scale::One },
            oxygen: Some(fields[3] == "O2"),
            systolic: int(4),
            pulse: int(5),
            consciousness: Consciousness::from_letter(fields[6]),
            temperature_tenths: Some((temperature * 10.0).round() as i32),
        },
        parts: fields[8].split('+').map(|points| points.parse().ok()).collect(),
        total: fields[9].parse().unwrap(),
        any_three: fields[10] == "y",
        band: [Band::Low, Band::LowMedium, Band::Medium, Band::High]
            .into_iter()
            .find(|band| band.name() == fields[11])
            .unwrap(),
    }
}

fn check(table: &str, expected_rows: usize) {
    let rows = rows(table);
    assert_eq!(rows.len(), expected_rows);
    for row in rows {
        let score = News2::of(&row.input);
        let parts = score.parts.named().map(|(_, points)| points);
        assert_eq!(parts.as_slice(), row.parts, "{:?}", row.input);
        assert_eq!(score.total, Some(row.total), "{:?}", row.input);
        assert_eq!(score.at_least, row.total);
        assert_eq!((score.any_three, score.band), (row.any_three, row.band), "{:?}", row.input);
    }
}

#[test]
fn the_worked_vectors_agree_in_every_part() {
    check(NEWS2, 32);
}

#[test]
fn the_openehr_cases_of_news_1_agree_on_scale_1() {
    check(NEWS1, 7);
}

#[test]
fn new_confusion_scores_three_as_any_lowered_consciousness() {
    for letter in ["C", "V", "P", "U"] {
        let input = News2Input {
            consciousness: Consciousness::from_letter(letter),
            ..News2Input::default()
        };
        let score = News2::of(&input);
        assert_eq!(score.parts.consciousness, Some(3), "{letter}");
        assert_eq!((score.total, score.at_least, score.band), (None, 3, Band::LowMedium));
    }
}
