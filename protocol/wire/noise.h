/* Noise_KK_25519_ChaChaPoly_SHA256: two parties that know each other's transport key agree on two
 * one-way ciphers. The Noise Protocol Framework, revision 34 (noiseprotocol.org); curve, AEAD and
 * SHA-256 by libsodium.
 *
 *     -> s, <- s (known before)
 *     -> e, es, ss        first message, initiator to responder
 *     <- e, ee, se        second message, responder to initiator
 *
 * Whoever carries the first message can replay it: the responder has proof of a live initiator only
 * when a message under the split ciphers decrypts. A payload in the first message could be replayed
 * too, so `tunnel` sends none; payloads exist here because the published test vectors have them.
 *
 * After any result other than OK a handshake or cipher must not be used again: end the session. The
 * caller provides ephemeral secrets: 32 fresh random bytes for each handshake, never used twice. */
#ifndef CONSILIUM_PROTOCOL_WIRE_NOISE_H
#define CONSILIUM_PROTOCOL_WIRE_NOISE_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"

enum {
    NOISE_TAG_SIZE = 16,
    NOISE_MESSAGE_SIZE = KEY_SIZE + NOISE_TAG_SIZE, /* a handshake message without payload */
};

/* The number of messages of a session in each direction; then a new handshake is due. Far below the
 * 2^64 - 1 of the standard, so that no cipher key is used for ever. */
#define NOISE_MESSAGE_COUNT_MAX ((uint64_t)1 << 32)

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

/* One direction: secret. The nonce is the number of messages so far. */
struct noise_cipher {
    uint8_t key[KEY_SIZE];
    uint64_t nonce;
};

/* Secret; clear it with noise_clear when it is no longer needed. */
struct noise_handshake {
    enum noise_role role;
    uint8_t chaining[HASH_SIZE];
    uint8_t hash[HASH_SIZE];
    struct noise_cipher cipher;
    const uint8_t *local_secret; /* borrowed until noise_split or noise_clear */
    struct transport_key remote;
    uint8_t ephemeral_secret[KEY_SIZE];
    struct transport_key remote_ephemeral;
};

/* The result of a finished handshake. */
struct noise_session {
    struct noise_cipher sending;
    struct noise_cipher receiving;
    struct hash binding; /* the same on both sides and for this handshake only; not secret */
};

/* The public key of a 32-byte secret key. */
void noise_public(const uint8_t secret[static KEY_SIZE], struct transport_key *ret_key);

/* Starts a handshake with `remote`. `prologue` is any bytes on which both sides must agree; it is
 * only hashed. `local_secret` stays borrowed. */
void noise_begin(struct noise_handshake *handshake, enum noise_role role, struct bytes prologue,
                 const uint8_t local_secret[static KEY_SIZE], const struct transport_key *remote);

/* Writes the next handshake message, payload.size + NOISE_MESSAGE_SIZE bytes, into `ret_message`.
 * The initiator writes the first, the responder the second.
 *
 *   ERR_BAD_KEY    a shared secret is all zeros: the remote key is not valid
 *   ERR_TOO_LARGE  it does not fit `ret_message` */
MUST_USE err noise_write(struct noise_handshake *handshake, const uint8_t secret[static KEY_SIZE],
                         struct bytes payload, struct buffer *ret_message);

/* Reads the next handshake message: the responder the first, the initiator the second. The payload
 * goes into `ret_payload`.
 *
 *   ERR_TRUNCATED  shorter than NOISE_MESSAGE_SIZE
 *   ERR_BAD_KEY    it does not decrypt, or a shared secret is all zeros
 *   ERR_TOO_LARGE  it does not fit `ret_payload` */
MUST_USE err noise_read(struct noise_handshake *handshake, struct bytes message,
                        struct buffer *ret_payload);

/* After both messages: the ciphers of the session. Clears the handshake. */
void noise_split(struct noise_handshake *handshake, struct noise_session *ret_session);

void noise_clear(struct noise_handshake *handshake);

/* Appends plain.size + NOISE_TAG_SIZE bytes to `ret_sealed`; counts one message.
 *
 *   ERR_OVER_BUDGET  NOISE_MESSAGE_COUNT_MAX messages were sealed: start a new handshake
 *   ERR_TOO_LARGE    it does not fit `ret_sealed`; not counted, so retry with more space */
MUST_USE err noise_seal(struct noise_cipher *cipher, struct bytes associated, struct bytes plain,
                        struct buffer *ret_sealed);

/* Appends sealed.size - NOISE_TAG_SIZE bytes to `ret_plain`; counts one message.
 *
 *   ERR_TRUNCATED    shorter than a tag
 *   ERR_BAD_KEY      not the next message of the peer: lost, altered, replayed or forged
 *   ERR_OVER_BUDGET, ERR_TOO_LARGE as above */
MUST_USE err noise_open(struct noise_cipher *cipher, struct bytes associated, struct bytes sealed,
                        struct buffer *ret_plain);

#endif
