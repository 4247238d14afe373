/* PDF, drawn again in a child process: the program consilium-pdf (node/attachment/consilium_pdf.cc;
 * poppler, cairo).
 *
 * A PDF parser is too large to be trusted beside the keys. The child gets the file in memory, with
 * no other file descriptor and no environment, limits its own time and memory, gives up all system
 * calls but those that it needs to compute and to read fonts, and only then reads. Nothing is
 * written to a disk.
 *
 * The child draws each page as a viewer shows it on screen, into a new document: no byte of the
 * old one is copied. Text that shows stays text; text that does not show is left out; the text of
 * each page is compared. spec/attachments.md says what leaves, and the bounds of sameness. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PDF_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PDF_H

#include "node/attachment/attachment.h"

enum {
    ATTACHMENT_PDF_TIME_S_MAX = 60,
    ATTACHMENT_PDF_PAGE_COUNT_MAX = 1000,
    ATTACHMENT_PDF_PICTURE_DPI = 150,
};

/* Where fonts, their settings and the tables of their encodings are: what the child reads. */
#define PDF_FONTS_FOLDER_LIST                                                                      \
    "/etc/fonts", "/usr/share/fontconfig", "/usr/share/fonts", "/usr/local/share/fonts",           \
        "/usr/share/poppler", "/usr/share/ghostscript", "/var/cache/fontconfig",

/* True when `content` starts as a PDF does; up to two lines may stand before that. */
bool attachment_pdf_is(struct bytes content);

/* Draws `content` again with the program at `pdf_program`, an absolute path; fills `ret_attachment`
 * as attachment_take does. Blocks until the child has ended. */
MUST_USE enum attachment_verdict attachment_pdf_clean(struct bytes content, const char *pdf_program,
                                                      struct attachment *ret_attachment);

/* The same; each page becomes one picture of ATTACHMENT_PDF_PICTURE_DPI, without text. */
MUST_USE enum attachment_verdict attachment_pdf_picture(struct bytes content,
                                                        const char *pdf_program,
                                                        struct attachment *ret_attachment);

/* The path of consilium-pdf beside the running program, or in ../libexec/consilium from it:
 * ERR_NOT_FOUND when it is in neither place. `ret_path` holds `size` bytes. */
MUST_USE err attachment_pdf_find(char *ret_path, size_t size);

/* ---- what the child answers: u32 stripped | u32 page | u32 size | findings of that size | the
 * document, on its standard output; without the document when it refuses ---- */

#define ATTACHMENT_PDF_PICTURES "pictures" /* the child's argument */

enum attachment_pdf_exit {
    ATTACHMENT_PDF_CLEANED = 0,
    ATTACHMENT_PDF_DAMAGED = 3,
    ATTACHMENT_PDF_PROTECTED = 4,
    ATTACHMENT_PDF_TOO_DEAR = 5,
    ATTACHMENT_PDF_UNUSABLE = 6, /* the child could not limit itself, and so did not read */
    ATTACHMENT_PDF_DYNAMIC = 7,
    ATTACHMENT_PDF_FONT = 8,
    ATTACHMENT_PDF_FIELD = 9,
    ATTACHMENT_PDF_TEXT = 10,
};

#endif
