/* Noise_KK_25519_ChaChaPoly_SHA256: two parties that know each other's transport key agree on two
 * one-way ciphers. The Noise Protocol Framework, revision 34 (noiseprotocol.org); curve, AEAD and
 * SHA-256 by libsodium.
 *
 *     -> s, <- s (known before)
 *     -> e, es, ss        first message, initiator to responder
 *     <- e, ee, se        second message, responder to initiator
 *
 * The first message can be replayed by whoever carried it: the responder has proof of a living
 * initiator only when a message under the split ciphers opens. A payload in the first message
 * would be replayable too, so `tunnel` sends none; payloads are here because the published vectors
 * have them.
 *
 * A handshake or cipher that answered anything but OK must not be used again: end the session.
 * Ephemeral secrets are handed in, 32 fresh random bytes for each handshake, never used twice. */
#ifndef CONSILIUM_PROTOCOL_WIRE_NOISE_H
#define CONSILIUM_PROTOCOL_WIRE_NOISE_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"

enum {
    NOISE_TAG_SIZE = 16,
    NOISE_MESSAGE_SIZE = KEY_SIZE + NOISE_TAG_SIZE, /* a handshake message without payload */
};

/* A session carries at most this many messages in each direction; then a new handshake is due.
 * Far below the 2^64 - 1 of the standard: no cipher key lives for ever. */
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

/* What a finished handshake gives. */
struct noise_session {
    struct noise_cipher sending;
    struct noise_cipher receiving;
    struct hash binding; /* the same on both sides and for this handshake only; not secret */
};

/* The public key of a 32-byte secret key. */
void noise_public(const uint8_t secret[static KEY_SIZE], struct transport_key *ret_key);

/* Starts a handshake with `remote`. `prologue` is any bytes that both sides must agree on; it is
 * only hashed. `local_secret` stays borrowed. */
void noise_begin(struct noise_handshake *handshake, enum noise_role role, struct bytes prologue,
                 const uint8_t local_secret[static KEY_SIZE], const struct transport_key *remote);

/* Writes the next handshake message, payload.size + NOISE_MESSAGE_SIZE bytes, into `ret_message`.
 * The initiator writes the first, the responder the second.
 *
 *   ERR_BAD_KEY    a shared secret came out as zeros: the other key is not a key
 *   ERR_TOO_LARGE  `ret_message` has not the room */
MUST_USE err noise_write(struct noise_handshake *handshake, const uint8_t secret[static KEY_SIZE],
                         struct bytes payload, struct buffer *ret_message);

/* Reads the next handshake message: the responder the first, the initiator the second. The payload
 * goes into `ret_payload`.
 *
 *   ERR_TRUNCATED  shorter than NOISE_MESSAGE_SIZE
 *   ERR_BAD_KEY    it does not open, or a shared secret came out as zeros
 *   ERR_TOO_LARGE  `ret_payload` has not the room */
MUST_USE err noise_read(struct noise_handshake *handshake, struct bytes message,
                        struct buffer *ret_payload);

/* After both messages: the ciphers of the session. Clears the handshake. */
void noise_split(struct noise_handshake *handshake, struct noise_session *ret_session);

void noise_clear(struct noise_handshake *handshake);

/* Appends plain.size + NOISE_TAG_SIZE bytes to `ret_sealed`; counts one message.
 *
 *   ERR_OVER_BUDGET  NOISE_MESSAGE_COUNT_MAX messages went this way: handshake anew
 *   ERR_TOO_LARGE    `ret_sealed` has not the room; the count stands, try with more room */
MUST_USE err noise_seal(struct noise_cipher *cipher, struct bytes associated, struct bytes plain,
                        struct buffer *ret_sealed);

/* Appends sealed.size - NOISE_TAG_SIZE bytes to `ret_plain`; counts one message.
 *
 *   ERR_TRUNCATED    shorter than a tag
 *   ERR_BAD_KEY      it does not open as the next message: lost, altered, replayed or not theirs
 *   ERR_OVER_BUDGET, ERR_TOO_LARGE as above */
MUST_USE err noise_open(struct noise_cipher *cipher, struct bytes associated, struct bytes sealed,
                        struct buffer *ret_plain);

#endif
