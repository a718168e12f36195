#include "net.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "port.h"

/* A PEM file of the bundle. */
#define LARGEST_PEM 16384

static struct {
    int socket;
    bool is_tls;
    bool is_connected;
    bool wants_write;
    /* Bytes of a send that mbedTLS has taken and not yet sent: the same must be given again. */
    size_t taken;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config settings;
    mbedtls_x509_crt authority;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_ctr_drbg_context random;
} net = {.socket = -1};

static int give(void *context, const unsigned char *bytes, size_t size)
{
    (void)context;
    int sent = port_send(net.socket, bytes, size);
    return sent > 0 ? sent : sent == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int get(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    int got = port_receive(net.socket, bytes, size);
    return got > 0 ? got : got == 0 ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

static bool complain(const char *what, int error)
{
    char text[128];
    mbedtls_strerror(error, text, sizeof text);
    port_log("%s: %s.", what, text);
    return false;
}

/* Reads a PEM file for a parser that wants its ending zero too; returns that size, 0 if it cannot be read. */
static size_t read_pem(const char *path, char *text)
{
    long size = port_read_file(path, text, LARGEST_PEM);
    if (size < 0)
        port_log("A file of the bundle cannot be read: %s.", path);
    return size < 0 ? 0 : (size_t)size + 1;
}

/* Says which certificate is in use and how long it holds: the contract has no place for it, the maintainer has this line. */
static void describe(const mbedtls_x509_crt *certificate)
{
    char serial[64];
    const mbedtls_x509_time *end = &certificate->valid_to;
    if (mbedtls_x509_serial_gets(serial, sizeof serial, &certificate->serial) < 0)
        serial[0] = 0;
    port_log("Certificate %s in use, valid until %04d-%02d-%02d%s.", serial, end->year, end->mon, end->day,
             mbedtls_x509_time_is_past(end) ? ": it has expired" : "");
}

static bool load_files(const struct config *config)
{
    static char pem[LARGEST_PEM];
    size_t size = read_pem(config->ca, pem);
    int error = size ? mbedtls_x509_crt_parse(&net.authority, (unsigned char *)pem, size) : 0;
    if (size == 0 || error != 0)
        return size ? complain("The authority's certificate", error) : false;
    size = read_pem(config->certificate, pem);
    error = size ? mbedtls_x509_crt_parse(&net.certificate, (unsigned char *)pem, size) : 0;
    if (size == 0 || error != 0)
        return size ? complain("The device's certificate", error) : false;
    size = read_pem(config->key, pem);
    error = size ? mbedtls_pk_parse_key(&net.key, (unsigned char *)pem, size, NULL, 0) : 0;
    memset(pem, 0, sizeof pem);
    if (size == 0 || error != 0)
        return size ? complain("The device's key", error) : false;
    describe(&net.certificate);
    return true;
}

static int random_bytes(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    port_random(bytes, size);
    return 0;
}

static bool prepare_tls(const struct config *config)
{
    mbedtls_ssl_init(&net.ssl);
    mbedtls_ssl_config_init(&net.settings);
    mbedtls_x509_crt_init(&net.authority);
    mbedtls_x509_crt_init(&net.certificate);
    mbedtls_pk_init(&net.key);
    mbedtls_ctr_drbg_init(&net.random);
    if (!load_files(config))
        return false;
    int error = mbedtls_ctr_drbg_seed(&net.random, random_bytes, NULL, NULL, 0);
    if (error == 0)
        error = mbedtls_ssl_config_defaults(&net.settings, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                            MBEDTLS_SSL_PRESET_DEFAULT);
    if (error == 0)
        error = mbedtls_ssl_conf_own_cert(&net.settings, &net.certificate, &net.key);
    if (error == 0) {
        mbedtls_ssl_conf_min_version(&net.settings, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
        mbedtls_ssl_conf_authmode(&net.settings, MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&net.settings, &net.authority, NULL);
        mbedtls_ssl_conf_rng(&net.settings, mbedtls_ctr_drbg_random, &net.random);
        error = mbedtls_ssl_setup(&net.ssl, &net.settings);
    }
    if (error == 0)
        error = mbedtls_ssl_set_hostname(&net.ssl, config->host);
    if (error != 0)
        return complain("TLS", error);
    mbedtls_ssl_set_bio(&net.ssl, NULL, give, get, NULL);
    return true;
}

bool net_open(const struct config *config)
{
    net.is_tls = config->tls;
    net.is_connected = false;
    net.wants_write = true;
    net.taken = 0;
    if (net.is_tls && !prepare_tls(config)) {
        net_close();
        return false;
    }
    net.socket = port_connect(config->host, config->port);
    if (net.socket < 0) {
        net_close();
        return false;
    }
    return true;
}

static enum net_state shake_hands(void)
{
    int error = mbedtls_ssl_handshake(&net.ssl);
    net.wants_write = error == MBEDTLS_ERR_SSL_WANT_WRITE;
    if (error == 0)
        return NET_READY;
    if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE)
        return NET_PENDING;
    uint32_t why = mbedtls_ssl_get_verify_result(&net.ssl);
    char text[256] = "";
    if (why != 0 && why != UINT32_MAX)
        mbedtls_x509_crt_verify_info(text, sizeof text, " ", why);
    text[strcspn(text, "\n")] = 0;
    complain("TLS handshake", error);
    if (text[0] != 0)
        port_log("The broker's certificate:%s.", text);
    return NET_FAILED;
}

enum net_state net_progress(void)
{
    if (!net.is_connected) {
        int connected = port_connected(net.socket);
        if (connected <= 0)
            return connected < 0 ? NET_FAILED : NET_PENDING;
        net.is_connected = true;
        net.wants_write = false;
    }
    return net.is_tls ? shake_hands() : NET_READY;
}

int net_send(const uint8_t *bytes, size_t size)
{
    if (!net.is_tls) {
        int sent = port_send(net.socket, bytes, size);
        net.wants_write = sent >= 0 && (size_t)sent < size;
        return sent;
    }
    size_t now = net.taken ? net.taken : size;
    int sent = mbedtls_ssl_write(&net.ssl, bytes, now);
    net.wants_write = sent == MBEDTLS_ERR_SSL_WANT_WRITE;
    if (sent == MBEDTLS_ERR_SSL_WANT_WRITE || sent == MBEDTLS_ERR_SSL_WANT_READ) {
        net.taken = now;
        return 0;
    }
    net.taken = 0;
    return sent < 0 ? -1 : sent;
}

int net_receive(uint8_t *bytes, size_t size)
{
    if (!net.is_tls)
        return port_receive(net.socket, bytes, size);
    int got = mbedtls_ssl_read(&net.ssl, bytes, size);
    if (got == MBEDTLS_ERR_SSL_WANT_READ || got == MBEDTLS_ERR_SSL_WANT_WRITE)
        return 0;
    if (got < 0 && got != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY && got != MBEDTLS_ERR_SSL_CONN_EOF)
        complain("TLS", got);
    return got <= 0 ? -1 : got;
}

void net_close(void)
{
    if (net.socket >= 0) {
        if (net.is_tls && net.is_connected)
            mbedtls_ssl_close_notify(&net.ssl);
        port_close(net.socket);
    }
    net.socket = -1;
    net.wants_write = false;
    if (!net.is_tls)
        return;
    mbedtls_ssl_free(&net.ssl);
    mbedtls_ssl_config_free(&net.settings);
    mbedtls_x509_crt_free(&net.authority);
    mbedtls_x509_crt_free(&net.certificate);
    mbedtls_pk_free(&net.key);
    mbedtls_ctr_drbg_free(&net.random);
    net.is_tls = false;
}

int net_socket(void)
{
    return net.socket;
}

bool net_wants_write(void)
{
    return net.wants_write;
}
