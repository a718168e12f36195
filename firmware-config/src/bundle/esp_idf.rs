//! For ESP-IDF: build settings, and the partition that holds what differs from device to device.

use super::{Bundle, CA_FILE, CERTIFICATE_FILE, KEEP_ALIVE_S, KEY_FILE};

/// Put beside the project's own: `idf.py -D SDKCONFIG_DEFAULTS="sdkconfig.defaults;BUNDLE/sdkconfig.defaults" build`.
pub(super) const SDKCONFIG: &str = "\
# MQTT 3.1.1 over TLS; a block of a waveform must fit into the buffer.
CONFIG_MQTT_PROTOCOL_311=y
CONFIG_MQTT_TRANSPORT_SSL=y
CONFIG_MQTT_TRANSPORT_WEBSOCKET=n
CONFIG_MQTT_USE_CUSTOM_CONFIG=y
CONFIG_MQTT_BUFFER_SIZE=4096
# Certificates are EC P-256. Their dates are checked, so set the clock by SNTP before connecting.
CONFIG_MBEDTLS_ECP_DP_SECP256R1_ENABLED=y
CONFIG_MBEDTLS_HAVE_TIME=y
CONFIG_MBEDTLS_HAVE_TIME_DATE=y
# The site's own authority is trusted and no public one.
CONFIG_MBEDTLS_CERTIFICATE_BUNDLE=n
";

/// The rows for ESP-IDF's partition generator; run it in the bundle's folder, for file names start there:
/// `python -m esp_idf_nvs_partition_gen generate nvs.csv nvs.bin 0x6000`.
pub(super) fn nvs(bundle: &Bundle<'_>) -> String {
    let mut rows = format!(
        "key,type,encoding,value\n\
         wardlight,namespace,,\n\
         site,data,string,{}\n\
         device,data,string,{}\n\
         broker_host,data,string,{}\n\
         broker_port,data,u16,{}\n\
         keep_alive_s,data,u16,{KEEP_ALIVE_S}\n\
         config,file,binary,config.json\n\
         ca,file,string,{CA_FILE}\n\
         cert,file,string,{CERTIFICATE_FILE}\n",
        bundle.site, bundle.device, bundle.broker_host, bundle.broker_port
    );
    // A device that made its key keeps it where it made it.
    if bundle.key.is_some() {
        rows.push_str("key,file,string,");
        rows.push_str(KEY_FILE);
        rows.push('\n');
    }
    rows
}
