/* The marker: how far this node's own streams had come, in a file that lies outside of backups.
 *
 * A store that was put back to an earlier day is told from it: the marker says more than the store
 * holds. Entries are appended when a record of ours is durable, before it leaves, and sealed under
 * a key of the store's. The file is a private one of the daemon's user. */
#ifndef CONSILIUM_NODE_FEDERATION_MARKER_H
#define CONSILIUM_NODE_FEDERATION_MARKER_H

#include "protocol/scope.h"

struct marker;

/* What a store and its marker share; random. */
struct marker_id {
    uint8_t bytes[16];
};

/* Reads what is at `path`, and writes nothing yet. `key` is the store's, 32 bytes, and is not kept.
 * `path` NULL: no marker is wanted. ERR_NO_MEMORY. */
MUST_USE err marker_open(const char *path, const uint8_t *key, struct marker **ret_marker);
/* Syncs first. Accepts NULL. */
void marker_close(struct marker *marker);

bool marker_is_wanted(const struct marker *marker);
/* Was there a file; is it whole and shares this id with the store. */
bool marker_is_there(const struct marker *marker);
bool marker_is_of(const struct marker *marker, const struct marker_id *id);

/* The n-th stream of the file that was read and how far it had come; false past the end. */
bool marker_entry(const struct marker *marker, size_t n, struct stream_id *ret_stream,
                  uint64_t *ret_sequence);

/* ---- writing; ERR_IO: errno says why, and there is no marker any more: it could not be trusted */

/* Begins a file anew, beside the old one; marker_note what stands; marker_commit puts it in place.
 */
MUST_USE err marker_begin(struct marker *marker, const struct marker_id *id);
MUST_USE err marker_commit(struct marker *marker);
/* Goes on with the file that was read; when most of it says less than a later entry
 * (marker_is_long), begin it anew instead. */
MUST_USE err marker_resume(struct marker *marker);
bool marker_is_long(const struct marker *marker);
bool marker_is_begun(const struct marker *marker);

/* A record of ours is durable. Before marker_begin or marker_resume it does nothing. */
MUST_USE err marker_note(struct marker *marker, const struct stream_id *stream, uint64_t sequence);
/* Every second: what a crash of the machine may lose is what this has not seen. */
void marker_sync(struct marker *marker);

#endif
