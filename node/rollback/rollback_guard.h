/* The marker: how far this node's own streams had come, in a file that lies outside of backups.
 *
 * A store that was put back to an earlier day is told from it: the marker says more than the store
 * holds. Entries are appended when a record of ours is durable, before it leaves, and sealed under
 * a key of the store's. The file is a private one of the daemon's user. */
#ifndef CONSILIUM_NODE_ROLLBACK_ROLLBACK_GUARD_H
#define CONSILIUM_NODE_ROLLBACK_ROLLBACK_GUARD_H

#include "protocol/base/scope.h"

struct rollback_guard;

/* What a store and its marker share; random. */
struct rollback_guard_id {
    uint8_t bytes[16];
};

/* Reads what is at `path`, and writes nothing yet. `key` is the store's, 32 bytes, and is not kept.
 * `path` NULL: no marker is wanted. ERR_NO_MEMORY. */
MUST_USE err rollback_guard_open(const char *path, const uint8_t *key,
                                 struct rollback_guard **ret_marker);
/* Syncs first. Accepts NULL. */
void rollback_guard_close(struct rollback_guard *marker);

bool rollback_guard_is_wanted(const struct rollback_guard *marker);
/* Was there a file; is it whole and shares this id with the store. */
bool rollback_guard_is_there(const struct rollback_guard *marker);
bool rollback_guard_is_of(const struct rollback_guard *marker, const struct rollback_guard_id *id);
/* Is it a copy of the file that was written, put back or brought elsewhere? */
bool rollback_guard_is_moved(const struct rollback_guard *marker);

/* The n-th stream of the file that was read and how far it had come; false past the end. */
bool rollback_guard_entry(const struct rollback_guard *marker, size_t n,
                          struct stream_id *ret_stream, uint64_t *ret_sequence);

/* ---- writing; ERR_IO: errno says why, and there is no marker any more: it could not be trusted */

/* Begins a new file beside the old one; rollback_guard_note what stands; rollback_guard_commit
 * puts it in place.
 */
MUST_USE err rollback_guard_begin(struct rollback_guard *marker,
                                  const struct rollback_guard_id *id);
MUST_USE err rollback_guard_commit(struct rollback_guard *marker);
/* Goes on with the file that was read; when most of it says less than a later entry, or it does
 * not say where it is (rollback_guard_is_long), begin a new one instead. */
MUST_USE err rollback_guard_resume(struct rollback_guard *marker);
bool rollback_guard_is_long(const struct rollback_guard *marker);
bool rollback_guard_is_begun(const struct rollback_guard *marker);

/* A record of ours is durable. Before rollback_guard_begin or rollback_guard_resume it does
 * nothing. */
MUST_USE err rollback_guard_note(struct rollback_guard *marker, const struct stream_id *stream,
                                 uint64_t sequence);
/* Every second: what a crash of the machine may lose is what this has not seen. */
void rollback_guard_sync(struct rollback_guard *marker);

#endif
