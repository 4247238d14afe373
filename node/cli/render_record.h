/* One record of a case, and an opinion, as people read them. */
#ifndef CONSILIUM_NODE_CLI_RENDER_RECORD_H
#define CONSILIUM_NODE_CLI_RENDER_RECORD_H

#include <jansson.h>

/* An element of the answer's `thread`: when, what, who, its words, and how far it got. */
void render_record(const json_t *record);
/* "Opinion" for OPINION; the kind itself when it is none that people read. */
const char *render_record_title(const char *kind);
/* The content of an opinion: what was found, what is advised, why; each line begun with two blanks.
 */
void render_record_opinion(const json_t *content);
/* "kept here, reached 2 of 3 institutions; opened by Dr. Karin Berg"; nothing when not known. */
void render_record_delivery(const json_t *delivery, const json_t *opened_by, size_t indent);

#endif
