// The fonts of this computer, for text whose font a PDF does not bring along; a module of
// consilium-pdf.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_FONTS_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_FONTS_HH

#include <string>

class GfxFont;

// Loads fontconfig's lists; before the sandbox closes. False when there is no font at all.
bool pdf_fonts_load();

// True when `font` is not in the file and no font of this computer has `text`.
bool pdf_fonts_lack(GfxFont *font, const std::u32string &text);

#endif
