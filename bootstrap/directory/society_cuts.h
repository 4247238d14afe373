/* Reads the reports that say where the streams of a removed member end.
 *
 * A report is text: one line for each stream, `STREAM SEQUENCE RECORD` (stream_id and record_id in
 * hexadecimal); empty lines and lines that begin with # are ignored. Of several reports the
 * highest position of each stream counts. Streams of cases and mail, and of other writers, are
 * ignored: their ends are set elsewhere. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_CUTS_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_CUTS_H

#include "bootstrap/directory/society_directory.h"

/* Puts the cuts of all reports for `writer` into the pending head. False after an error message
 * when a report cannot be read, or two name different records at one position. */
bool society_cuts_from_reports(struct society *society, const char *const *paths, uint32_t count,
                               const struct node_id *writer);

#endif
