"""What people see: the pages of Link (customers) and of the portal (operators)."""
