// Forms and marks of a PDF that decide what a viewer shows; a module of consilium-pdf.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_FORM_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_FORM_HH

#include <string>
#include <vector>

#include <poppler/PDFDoc.h>

#include "node/attachment/pdf_sight.hh"

// True when only a program that knows XFA shows more than a placeholder.
bool pdf_form_is_dynamic(PDFDoc &document);

struct PdfFormValue {
    int page; // from 1
    std::u32string text;
};

// Makes each field look like its value, where the document leaves that to the viewer: it asks for
// it (NeedAppearances), or a field has no appearance. When that is DONE, `ret_file` is a changed
// document, to be read in its place, and `ret_values` are the texts that must then show.
enum class PdfFormFilled { NOT_NEEDED, DONE, DAMAGED };

PdfFormFilled pdf_form_fill(PDFDoc &document, std::string &ret_file,
                            std::vector<PdfFormValue> &ret_values);

// Text of page `page` that is seen, and marked for a redaction that was never applied. "?" when
// something is marked, and there is no text.
std::u32string pdf_form_unredacted(PDFDoc &document, int page, const PdfSight &sight);

#endif
