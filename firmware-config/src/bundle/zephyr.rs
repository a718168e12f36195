//! For Zephyr: an overlay of its configuration, and a header with certificates as DER.

use std::fmt::Write as _;

use super::{Bundle, KEEP_ALIVE_S};

/// Build with `west build -- -DEXTRA_CONF_FILE=BUNDLE/prj.conf`.
pub(super) fn prj_conf(bundle: &Bundle<'_>) -> String {
    format!(
        "# {} {}: MQTT over TLS with a certificate of its own; the broker keeps the session while the device is away.\n\
         CONFIG_NETWORKING=y\n\
         CONFIG_NET_TCP=y\n\
         CONFIG_NET_SOCKETS=y\n\
         CONFIG_NET_SOCKETS_SOCKOPT_TLS=y\n\
         CONFIG_TLS_CREDENTIALS=y\n\
         CONFIG_MQTT_LIB=y\n\
         CONFIG_MQTT_LIB_TLS=y\n\
         CONFIG_MQTT_KEEPALIVE={KEEP_ALIVE_S}\n\
         CONFIG_MQTT_CLEAN_SESSION=n\n\
         CONFIG_SNTP=y\n\
         CONFIG_MBEDTLS=y\n\
         CONFIG_MBEDTLS_BUILTIN=y\n\
         CONFIG_MBEDTLS_ENABLE_HEAP=y\n\
         CONFIG_MBEDTLS_HEAP_SIZE=60000\n\
         CONFIG_MBEDTLS_ECP_DP_SECP256R1_ENABLED=y\n",
        bundle.profile.name, bundle.device
    )
}

/// `wardlight_device.h`: names as strings, certificates and perhaps the key as DER, for `tls_credential_add`.
pub(super) fn header(bundle: &Bundle<'_>) -> String {
    let mut text = format!(
        "/* Made by enrolment for one device. With a key in it this file is a secret. */\n\
         #ifndef WARDLIGHT_DEVICE_H\n\
         #define WARDLIGHT_DEVICE_H\n\n\
         #define WARDLIGHT_SITE \"{}\"\n\
         #define WARDLIGHT_DEVICE \"{}\"\n\
         #define WARDLIGHT_BROKER_HOST \"{}\"\n\
         #define WARDLIGHT_BROKER_PORT {}\n\
         #define WARDLIGHT_INTERVAL_MS {}\n\n",
        bundle.site,
        bundle.device,
        bundle.broker_host,
        bundle.broker_port,
        bundle.profile.interval.as_millis()
    );
    for (index, authority) in bundle.authorities.iter().enumerate() {
        array(&mut text, &format!("wardlight_ca_{index}"), authority.der());
    }
    array(&mut text, "wardlight_cert", bundle.certificate.der());
    if let Some(key) = bundle.key {
        array(&mut text, "wardlight_key", key.der());
    }
    text.push_str("#endif\n");
    text
}

fn array(text: &mut String, name: &str, bytes: &[u8]) {
    // Writing to a String cannot fail.
    writeln!(text, "static const unsigned char {name}[] = {{").ok();
    for line in bytes.chunks(16) {
        let row: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x},")).collect();
        writeln!(text, "\t{}", row.join(" ")).ok();
    }
    text.push_str("};\n\n");
}
