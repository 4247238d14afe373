/* What each record of the requester does to a case, one function for each kind; asked by consult.c
 * alone, once the table has said that the record counts in this state. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_EFFECT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_EFFECT_H

#include "protocol/consult/consult.h"

/* The opening: makes its writer the requester, or is CONSULT_MALFORMED. */
enum consult_verdict consult_effect_open(struct consult *consult,
                                         const struct consult_record *record);

/* Any record but OPEN and ERASE. On another verdict than CONSULT_COUNTS nothing has changed. */
enum consult_verdict consult_effect_apply(struct consult *consult,
                                          const struct consult_record *record);

/* ERASE, which needs no order and no state; sets the state itself. */
enum consult_verdict consult_effect_erase(struct consult *consult,
                                          const struct consult_record *record);

/* CONSULT_COUNTS when the content is one of its kind, CONSULT_MALFORMED when not. */
enum consult_verdict consult_effect_check_content(const struct consult_record *record);

/* CONSULT_NOT_REVEALED when opinions are independent and none is revealed yet. */
enum consult_verdict consult_effect_check_synthesis(const struct consult *consult);

bool consult_effect_has_reveal(const struct consult *consult);

#endif
