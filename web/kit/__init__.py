"""What both surfaces use: the gate, forms, pages, cookies, drawings. It knows no noun's rules."""
