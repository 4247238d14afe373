/* PDF, cleaned in a child process: the program consilium-pdf (node/attachment/consilium_pdf.cc,
 * libqpdf).
 *
 * A PDF parser is too large to be trusted beside the keys. The child gets the file in memory, with
 * no other file descriptor and no environment, limits its own time and memory, gives up all system
 * calls but those that it needs to compute, and only then reads. Nothing is written to a disk.
 *
 * The child writes the document anew from what its pages show: no properties, XMP, embedded files,
 * scripts, actions, links, bookmarks, layers, earlier states; notes and form fields become part of
 * the page as they look; JPEG images inside are cleaned as in attachment_jpeg.h. What it does not
 * look into: comments inside page content, fonts, and what lies hidden under something else. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PDF_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PDF_H

#include "node/attachment/attachment.h"

enum { ATTACHMENT_PDF_TIME_S_MAX = 60 };

/* True when `content` starts as a PDF does. */
bool attachment_pdf_is(struct bytes content);

/* Cleans `content` with the program at `pdf_program`, an absolute path; fills `ret_attachment` as
 * attachment_take does. Blocks until the child has ended. */
MUST_USE enum attachment_verdict attachment_pdf_clean(struct bytes content, const char *pdf_program,
                                                      struct attachment *ret_attachment);

/* The path of consilium-pdf beside the running program, or in ../libexec/consilium from it:
 * ERR_NOT_FOUND when it is in neither place. `ret_path` holds `size` bytes. */
MUST_USE err attachment_pdf_find(char *ret_path, size_t size);

/* ---- what the child answers: u32 stripped and then the document on its standard output ---- */

enum attachment_pdf_exit {
    ATTACHMENT_PDF_CLEANED = 0,
    ATTACHMENT_PDF_DAMAGED = 3,
    ATTACHMENT_PDF_PROTECTED = 4,
    ATTACHMENT_PDF_TOO_DEAR = 5,
    ATTACHMENT_PDF_UNUSABLE = 6, /* the child could not limit itself, and so did not read */
};

#endif
