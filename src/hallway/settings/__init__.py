"""The configuration of a home: `load` reads a directory into Settings, or raises all that is wrong as one error.

Whoever needs settings takes them from here. It must not know what becomes of them.
"""

from hallway.settings.reading import ENTRY_SHAPES, FILE, ConfigurationError, load
from hallway.settings.shapes import (
    BackupSettings,
    Entry,
    HistorySettings,
    HomeSettings,
    HttpSettings,
    LinkSettings,
    LogSettings,
    NotifySettings,
    ProcessSettings,
    Settings,
    StoreSettings,
    UserSettings,
)
from hallway.settings.yaml_lines import Problem

__all__ = [
    "ENTRY_SHAPES",
    "FILE",
    "BackupSettings",
    "ConfigurationError",
    "Entry",
    "HistorySettings",
    "HomeSettings",
    "HttpSettings",
    "LinkSettings",
    "LogSettings",
    "NotifySettings",
    "Problem",
    "ProcessSettings",
    "Settings",
    "StoreSettings",
    "UserSettings",
    "load",
]
