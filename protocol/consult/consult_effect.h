/* The effect of each record of the requester on a case, one function for each kind. Only consult.c
 * calls them, after the table said that the record counts in this state. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_EFFECT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_EFFECT_H

#include "protocol/consult/consult.h"

/* The opening: its writer becomes the requester; or CONSULT_MALFORMED. */
enum consult_verdict consult_effect_open(struct consult *consult,
                                         const struct consult_record *record);

/* Any record but OPEN and ERASE. On a verdict other than CONSULT_COUNTS nothing has changed. */
enum consult_verdict consult_effect_apply(struct consult *consult,
                                          const struct consult_record *record);

/* ERASE, in any order and state; sets the state itself. */
enum consult_verdict consult_effect_erase(struct consult *consult,
                                          const struct consult_record *record);

/* CONSULT_COUNTS when the content is valid for its kind, else CONSULT_MALFORMED. */
enum consult_verdict consult_effect_check_content(const struct consult_record *record);

/* CONSULT_NOT_REVEALED when opinions are independent and none is revealed yet. */
enum consult_verdict consult_effect_check_synthesis(const struct consult *consult);

/* To be changed; NULL when it is none. consult_participant_of() is for those who only read. */
struct consult_participant *consult_effect_participant(struct consult *consult,
                                                       const struct node_id *node);

bool consult_effect_has_reveal(const struct consult *consult);

#endif
