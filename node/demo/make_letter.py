#!/usr/bin/env python3
"""Writes en/letter.pdf: one page in Helvetica, and in it what a word processor leaves behind.

Author, title, dates and an XMP packet are planted on purpose, each with the word PLANTED, so that
the demo can show that none of them leaves the hospital.

    python3 make_letter.py en/letter.txt en/letter.pdf
"""
import sys

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq>
<rdf:li>PLANTED Secretary of the Ward</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>
"""


def escape(line):
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def page(text):
    lines = ["BT /F1 10.5 Tf 14 TL 64 770 Td"]
    for line in text.splitlines():
        lines.append("(%s) Tj T*" % escape(line))
    return "\n".join(lines + ["ET"])


def pdf(text):
    content = page(text).encode("latin-1")
    xmp = XMP.encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream" % (len(xmp), xmp),
        b"<< /Title (PLANTED letter about bed 14) /Author (PLANTED Secretary of the Ward)"
        b" /Creator (PLANTED word processor) /CreationDate (D:20130404153000+01'00') >>",
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table)


with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "wb") as target:
    target.write(pdf(source.read()))
