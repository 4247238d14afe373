/* Parts of a roster as text, for the output of several commands. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_TEXT_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_TEXT_H

#include <stdio.h>

#include "bootstrap/directory/society_directory.h"

/* The fingerprint of an id, as people compare it; FINGERPRINT_TEXT_SIZE. */
void society_text_fingerprint(const uint8_t id[static HASH_SIZE], char *ret_text);

/* Prints the federation's id and fingerprint, and the last head; warns from 60 days before it
 * expires. */
void society_text_identity(const struct society *society);
void society_text_settings(const struct settings *settings);
/* How many members, not counting removed ones, serve the board `tag`, as they will be. Prints them
 * to `out` unless it is NULL. */
uint32_t society_text_serving(const struct society *society, struct bytes tag, FILE *out);
/* With the names that this directory has for them. */
void society_text_officers(const struct society *society, const struct officers *officers);

#endif
