/* What the engine was told and what it left, as bytes: for recording a node and playing it again.
 *
 * An event is written before its step and read elsewhere into the same event; of a step's effects a
 * hash is enough, since the same events must leave the same effects, byte for byte. Written for one
 * build: a recording is played with the program that made it, so the spelling has no versions.
 * What is read is believed no more than any file: bounds are checked, values are not. */
#ifndef CONSILIUM_PROTOCOL_ENGINE_EVENT_CODEC_H
#define CONSILIUM_PROTOCOL_ENGINE_EVENT_CODEC_H

#include "protocol/engine/engine.h"

/* An event with all it points at, at most: a batch of records, each with its opened body. */
enum { EVENT_CODEC_EVENT_SIZE_MAX = 64 * 1024 * 1024 };

/* Where the batch of an event that was read lies. */
struct event_codec_room {
    struct step_run runs[STEP_RUN_COUNT_MAX];
    struct step_record records[STEP_RECORD_COUNT_MAX];
};

/* `buffer` fails when it does not fit. */
void event_codec_event_write(const struct event *event, struct buffer *buffer);

/* `*ret_event` borrows from `all` and `room`. ERR_MALFORMED: not what was written. */
MUST_USE err event_codec_event_read(struct bytes all, struct event_codec_room *room,
                                    struct event *ret_event);

/* Over every effect, in order, with all it points at; the order of the links of a send counts. */
struct hash event_codec_effects(const struct step *step);

/* All numbers of a configuration; `roster` is not among them and stays as it is. */
void event_codec_config_write(const struct engine_config *config, struct buffer *buffer);
MUST_USE err event_codec_config_read(struct bytes all, struct engine_config *config);

#endif
