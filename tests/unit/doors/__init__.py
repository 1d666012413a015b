"""No input makes an error of ours: every route, field, header and message, with whatever text."""
