use super::*;

fn patient(seed: u64) -> Patient {
    Patient::new(seed, Baseline::adult(seed), 10.0)
}

fn after(patient: &mut Patient, seconds: u64) -> Vitals {
    patient.advance(Duration::from_secs(seconds));
    patient.vitals()
}

#[test]
fn quiet_patients_stay_in_the_range_that_scores_nothing_for_a_day() {
    for seed in 0..40 {
        let mut p = patient(seed);
        for minute in 0..24 * 60 {
            let v = after(&mut p, 60);
            let quiet = (51.5..90.5).contains(&v.heart_rate)
                && v.spo2 > 95.5
                && (11.5..20.5).contains(&v.resp_rate)
                && (100.0..155.0).contains(&v.systolic)
                && (52.0..88.0).contains(&v.diastolic)
                && (36.1..38.0).contains(&v.temp_core);
            assert!(quiet, "seed {seed}, minute {minute}: {v:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let mut a = patient(9);
    let mut b = patient(9);
    assert_eq!(after(&mut a, 3600), after(&mut b, 3600));
}

#[test]
fn fever_speeds_up_heart_and_breath() {
    let mut p = patient(1);
    let before = after(&mut p, 60);
    p.drive(Driver::Fever, 2.5, Duration::from_mins(30));
    let hot = after(&mut p, 3 * 3600);
    assert!(hot.temp_core > 39.0, "{hot:?}");
    assert!(hot.heart_rate > before.heart_rate + 12.0);
    assert!(hot.resp_rate > before.resp_rate + 2.0);
}

#[test]
fn blood_loss_raises_the_rate_before_it_lowers_the_pressure() {
    let mut p = patient(2);
    let before = after(&mut p, 60);
    p.drive(Driver::VolumeLoss, 0.18, Duration::from_mins(10));
    let early = after(&mut p, 900);
    assert!(early.heart_rate > before.heart_rate + 20.0);
    assert!(early.systolic > before.systolic - 20.0);
    p.drive(Driver::VolumeLoss, 0.4, Duration::from_mins(10));
    let late = after(&mut p, 900);
    assert!(late.systolic < 90.0, "{late:?}");
    assert!(late.perfusion < 1.5);
}

#[test]
fn saturation_lags_apnoea() {
    let mut p = patient(3);
    let before = after(&mut p, 60);
    p.drive(Driver::RespiratoryDrive, 0.0, Duration::ZERO);
    let early = after(&mut p, 15);
    assert!(early.resp_rate <= 0.0);
    assert!(early.spo2 > before.spo2 - 3.0, "{early:?}");
    let late = after(&mut p, 105);
    assert!(late.spo2 < 85.0, "{late:?}");
    p.drive(Driver::RespiratoryDrive, 1.0, Duration::ZERO);
    let recovered = after(&mut p, 240);
    assert!(recovered.spo2 > 94.0, "{recovered:?}");
}

#[test]
fn without_output_the_pressure_collapses_and_the_perfusion_ends() {
    let mut p = patient(4);
    p.set_rhythm(Rhythm::VentricularFibrillation);
    let v = after(&mut p, 30);
    assert!(v.systolic < 25.0 && v.perfusion <= 0.0 && v.heart_rate <= 0.0, "{v:?}");
    assert!(p.physiology().pulse_strength < 0.2);
}

#[test]
fn a_sick_lung_desaturates_and_drives_the_breath() {
    let mut p = patient(5);
    let before = after(&mut p, 60);
    p.drive(Driver::GasExchange, 0.45, Duration::from_secs(30));
    let v = after(&mut p, 180);
    assert!((65.0..89.0).contains(&v.spo2), "{v:?}");
    assert!(v.resp_rate > before.resp_rate + 1.0, "{v:?}");
}
