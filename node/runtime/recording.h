/* All that one core was told, in a file: so that what went wrong at a hospital can be played again
 * elsewhere, step by step (tests/sim, `sim --replay`).
 *
 * It holds what the store holds, opened: it is for the field, off by default, and sealed under a
 * key of its own in a file beside it. Who has both reads everything. Each event is on its way to
 * the disk before its step, so a step that ends the process is the last one there. Nothing that
 * fails here stops the node: the recording ends, and the log says so. */
#ifndef CONSILIUM_NODE_RUNTIME_RECORDING_H
#define CONSILIUM_NODE_RUNTIME_RECORDING_H

#include "protocol/engine/event_codec.h"

enum { RECORDING_PATH_SIZE = 4096 };
/* A recording ends there. */
#define RECORDING_SIZE_MAX ((uint64_t)4 * 1024 * 1024 * 1024)

/* ---- writing ---- */

struct recording;

/* Makes `directory`/`name`-TIME.recording and the same with .key, mode 600. ERR_IO: errno says why;
 * ERR_NO_MEMORY. */
MUST_USE err recording_begin(const char *directory, const char *name,
                             const struct engine_config *config, struct recording **ret_recording);
/* Before a step, with the roster as it is then, and after it. Accept NULL. */
void recording_event(struct recording *recording, const struct event *event);
void recording_effects(struct recording *recording, const struct step *step);
/* A case is erased (S-50): deletes this recording and all earlier ones of the same name in the
 * directory, their keys first. Accepts NULL. */
void recording_forget(struct recording *recording);
/* Accepts NULL. */
void recording_end(struct recording *recording);

/* ---- reading ---- */

enum recording_kind {
    RECORDING_CONFIG = 1, /* the first: event_codec_config_read */
    RECORDING_ROSTER,     /* roster_export_read; empty: there was none */
    RECORDING_EVENT,      /* event_codec_event_read */
    RECORDING_EFFECTS,    /* the hash of what the last event left */
    RECORDING_END,        /* it was ended, not broken off */
};

struct recording_entry {
    enum recording_kind kind;
    struct bytes content; /* until the next one is read */
};

struct recording_reader;

/* ERR_NOT_FOUND, ERR_IO; ERR_MALFORMED: no recording, or not its key. */
MUST_USE err recording_open(const char *path, const char *key_path,
                            struct recording_reader **ret_reader);
/* ERR_TRUNCATED when the file breaks off before RECORDING_END, as where the process was killed;
 * ERR_MALFORMED when it was altered. */
MUST_USE err recording_next(struct recording_reader *reader, struct recording_entry *ret_entry);
/* Accepts NULL. */
void recording_close(struct recording_reader *reader);

#endif
