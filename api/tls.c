#include "api/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <event2/bufferevent_ssl.h>

#include "base/check.h"
#include "base/memory.h"

struct tls {
    SSL_CTX *context;
};

static int fail(struct od_error *error, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return od_error_set(error, OD_EINVAL, "%s %s: %s", what, file,
                        reason != NULL ? reason : "cannot be used");
}

/* Resumption by tickets is on; renegotiation and compression have only brought attacks. A client
 * that closes its socket without a word of TLS has ended its connection, as without TLS. */
static bool set_up(SSL_CTX *context)
{
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_IGNORE_UNEXPECTED_EOF |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

int tls_open(const char *certificate, const char *key, struct tls **out, struct od_error *error)
{
    struct tls *tls = memory_zero(1, sizeof(*tls));
    int code = 0;

    tls->context = SSL_CTX_new(TLS_server_method());
    if (tls->context == NULL || !set_up(tls->context)) {
        code = od_error_set(error, OD_ENOMEM, "TLS cannot be set up");
    } else if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1) {
        code = fail(error, "the certificate", certificate);
    } else if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1 ||
               SSL_CTX_check_private_key(tls->context) != 1) {
        code = fail(error, "the key", key);
    }
    if (code != 0) {
        tls_close(tls);
        return code;
    }
    *out = tls;
    return 0;
}

void tls_close(struct tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        memory_free(tls);
    }
}

struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base)
{
    SSL *ssl = SSL_new(tls->context);
    struct bufferevent *bufferevent;

    if (ssl == NULL) {
        ERR_clear_error();
        return NULL;
    }
    bufferevent = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                 BEV_OPT_CLOSE_ON_FREE);
    if (bufferevent == NULL) {
        SSL_free(ssl);
    }
    return bufferevent;
}

bool tls_is_open(struct bufferevent *bufferevent)
{
    return SSL_is_init_finished(bufferevent_openssl_get_ssl(bufferevent)) == 1;
}

void tls_end(struct bufferevent *bufferevent)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bufferevent);

    if (SSL_is_init_finished(ssl) == 1 && (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) == 0) {
        (void)SSL_shutdown(ssl);
    }
    ERR_clear_error();
}
