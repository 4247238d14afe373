/* Parts of a roster as text, for the output of several commands. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_TEXT_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_TEXT_H

#include "bootstrap/directory/society_directory.h"

/* The fingerprint of an id, as people compare it; FINGERPRINT_TEXT_SIZE. */
void society_text_fingerprint(const uint8_t id[static HASH_SIZE], char *ret_text);

/* Prints the federation's id and fingerprint, and the last head. */
void society_text_identity(const struct society *society);
void society_text_settings(const struct settings *settings);
/* With the names that this directory has for them. */
void society_text_officers(const struct society *society, const struct officers *officers);

#endif
