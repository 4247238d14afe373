/* Shows and proves the society's directory, as text and as JSON. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_SHOW_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_SHOW_H

#include "bootstrap/directory/society_directory.h"
#include "bootstrap/society/society_options.h"

/* Commands: exit statuses. */
int society_show_all(const struct society_options *options);
int society_show_verify(const struct society_options *options);

#endif
