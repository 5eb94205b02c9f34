"""Operations: everything that can be asked of the hub, each declared once, in one file per area.

Routes, permission check, OpenAPI and documentation come from the declaration. They must not know a door's wire format.
"""
