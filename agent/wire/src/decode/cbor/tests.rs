//! The reader by itself.

use proptest::prelude::*;

use super::*;

fn one(bytes: &[u8]) -> Parse<Scalar<'_>> {
    let mut cbor = Cbor::new(bytes);
    let value = cbor.scalar()?;
    cbor.finish()?;
    Ok(value)
}

fn float(bytes: &[u8]) -> f64 {
    one(bytes).unwrap().number().unwrap().to_f64()
}

#[test]
fn numbers_of_rfc_8949_appendix_a() {
    for (bytes, expected) in [
        (&[0x17][..], 23.0),
        (&[0x18, 0x64], 100.0),
        (
            &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            18_446_744_073_709_551_615.0,
        ),
        (
            &[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            -18_446_744_073_709_551_616.0,
        ),
        (&[0x38, 0x63], -100.0),
        (&[0xf9, 0x3c, 0x00], 1.0),
        (&[0xf9, 0x7b, 0xff], 65_504.0),
        (&[0xf9, 0x00, 0x01], 5.960_464_477_539_063e-8),
        (&[0xf9, 0xc4, 0x00], -4.0),
        (&[0xf9, 0xfc, 0x00], f64::NEG_INFINITY),
        (&[0xfa, 0x47, 0xc3, 0x50, 0x00], 100_000.0),
        (&[0xfb, 0xc0, 0x10, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66], -4.1),
    ] {
        assert_eq!(float(bytes).to_bits(), f64::to_bits(expected), "{bytes:x?}");
    }
    assert!(float(&[0xf9, 0x7e, 0x00]).is_nan());
}

#[test]
fn what_is_not_well_formed_is_refused() {
    // RFC 8949, appendix F: reserved additional information, lone breaks, wrong chunks, odd maps, short input.
    for bad in [
        &[0x1c][..],
        &[0x5e],
        &[0xff],
        &[0x3f],
        &[0xdf, 0x00],
        &[0xf8, 0x18],
        &[0x5f, 0x61, 0x61, 0xff],
        &[0x7f, 0x7f, 0x61, 0x61, 0xff, 0xff],
        &[0xbf, 0x01, 0xff],
        &[0x81, 0xff],
        &[0x82, 0x00],
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
        &[0x61, 0xff],
    ] {
        assert!(one(bad).is_err(), "{bad:x?} was taken");
    }
}

#[test]
fn deep_nesting_is_refused_before_the_stack_suffers() {
    let nested = |levels| [vec![0x81; levels], vec![0x00]].concat();
    assert!(one(&nested(8)).is_ok());
    for deep in [nested(9), vec![0x81; 60_000], vec![0x9f; 60_000], vec![0xc1; 60_000]] {
        assert!(one(&deep).is_err());
    }
}

proptest! {
    #[test]
    fn agrees_with_minicbor_on_what_is_well_formed(bytes in prop::collection::vec(any::<u8>(), 1..40)) {
        if one(&bytes).is_ok() {
            let mut decoder = minicbor::Decoder::new(&bytes);
            prop_assert!(decoder.skip().is_ok());
            prop_assert_eq!(decoder.position(), bytes.len());
        }
    }
}
