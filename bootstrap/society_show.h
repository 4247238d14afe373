/* What stands in the society's directory, for people and (--json) for programs. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SHOW_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SHOW_H

#include "bootstrap/society_folder.h"
#include "bootstrap/society_options.h"

/* Commands: exit statuses. */
int society_show_all(const struct society_options *options);
int society_show_verify(const struct society_options *options);

void society_show_settings(const struct settings *settings);
void society_show_officers(const struct society *society, const struct officers *officers);
/* "admitted", "suspended", "removed" */
const char *society_show_state(enum member_state state);

/* Prints the federation's id and fingerprint, and the last head. */
void society_show_identity(const struct society *society);

#endif
