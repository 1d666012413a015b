"""The vault in many processes at once, on real stores: nobody is disconnected whom Xero has not disconnected."""
