/* Hashes, signatures and derived keys, each bound to one purpose (domain separation).
 *
 * The input of every hash and signature is framed: u32 size and bytes of the context, then u32 size
 * and bytes of each part. So two different inputs never have the same framing. CONTEXT_LIST holds
 * all contexts (W-14). BLAKE2b (RFC 7693) and Ed25519 (RFC 8032), by libsodium. */
#ifndef CONSILIUM_PROTOCOL_BASE_HASH_H
#define CONSILIUM_PROTOCOL_BASE_HASH_H

#include <stddef.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"

#define CONTEXT_LIST(X)                                                                            \
    X(HEAD, "consilium/1 roster head")                                                             \
    X(MEMBER, "consilium/1 member")                                                                \
    X(MEMBER_KEYS, "consilium/1 member keys")                                                      \
    X(MERKLE_LEAF, "consilium/1 merkle leaf")                                                      \
    X(MERKLE_NODE, "consilium/1 merkle node")                                                      \
    X(SETTINGS, "consilium/1 settings")                                                            \
    X(TRANSPORT_LIST, "consilium/1 transport list")                                                \
    X(CUTS, "consilium/1 cuts")                                                                    \
    X(JOIN_REQUEST, "consilium/1 join request")                                                    \
    X(BOARD_SCOPE, "consilium/1 board scope")                                                      \
    X(CASE_ID, "consilium/1 case id")                                                              \
    X(RECORD, "consilium/1 record")                                                                \
    X(BODY, "consilium/1 body")                                                                    \
    X(KEY_COMMITMENT, "consilium/1 key commitment")                                                \
    X(CERTIFICATE, "consilium/1 certificate")                                                      \
    X(CERTIFICATE_REQUEST, "consilium/1 certificate request")                                      \
    X(STATEMENT, "consilium/1 clinician statement")                                                \
    X(OPINION, "consilium/1 opinion")                                                              \
    X(ITEM, "consilium/1 item")                                                                    \
    X(ITEM_KEY, "consilium/1 item chunk key")                                                      \
    X(ITEM_LEAF, "consilium/1 item leaf")                                                          \
    X(MANIFEST, "consilium/1 manifest")                                                            \
    X(AUDIT, "consilium/1 audit entry")                                                            \
    X(LINK_PROLOGUE, "consilium/1 link")                                                           \
    X(SUMMARY, "consilium/1 summary")                                                              \
    X(STORE_KEY, "consilium/1 store key")                                                          \
    X(STORE_INDEX, "consilium/1 store index")                                                      \
    X(FINGERPRINT, "consilium/1 fingerprint")                                                      \
    X(RENDEZVOUS, "consilium/1 rendezvous")                                                        \
    X(PREVIEW, "consilium/1 preview")                                                              \
    X(RETRACTION, "consilium/1 retraction")                                                        \
    X(TRANSCRIPT, "consilium/1 transcript")                                                        \
    X(DEPOSIT, "consilium/1 deposit")                                                              \
    X(CUSTODY_REPORT, "consilium/1 custody report")                                                \
    X(BACKUP, "consilium/1 backup")                                                                \
    X(INSTANCE, "consilium/1 instance")

#define CONTEXT_ENUM(name, text) CONTEXT_##name,
enum context { CONTEXT_LIST(CONTEXT_ENUM) CONTEXT_COUNT };
#undef CONTEXT_ENUM

/* The text of a context; static storage. */
struct bytes hash_context(enum context context);

/* BLAKE2b-256 over the framing of `context` and `count` parts. */
struct hash hash_parts(enum context context, const struct bytes *parts, size_t count);

/* The same for one part. */
struct hash hash_one(enum context context, struct bytes part);

/* The same, keyed with 32 secret bytes. */
struct hash hash_keyed(enum context context, const uint8_t key[static KEY_SIZE], struct bytes part);

/* Signs framing(context, message) with a 64-byte Ed25519 secret key. */
void hash_sign(enum context context, struct bytes message, const uint8_t secret[static 64],
               struct signature *ret_signature);

/* OK or ERR_BAD_SIGNATURE. ERR_TOO_LARGE when `message` is longer than HASH_SIGNED_MAX bytes: for a
 * longer message, sign its hash. */
enum { HASH_SIGNED_MAX = 62000 };
MUST_USE err hash_verify(enum context context, struct bytes message, const struct sign_key *key,
                         const struct signature *signature);

#endif
