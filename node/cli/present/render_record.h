/* One record of a case, and an opinion, as people read them. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_RECORD_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_RECORD_H

#include <jansson.h>

/* An element of the answer's `thread`: time, kind, writer, content and delivery. */
void render_record(const json_t *record);
/* "Opinion" for OPINION; the kind itself when it has no title. */
const char *render_record_title(const char *kind);
/* The content of an opinion: diagnosis, treatment, reasons; each line indented by two. */
void render_record_opinion(const json_t *content);
/* "stored here, reached 2 of 3 institutions; opened by Dr. Karin Berg"; nothing when unknown. */
void render_record_delivery(const json_t *delivery, const json_t *opened_by, size_t indent);

#endif
