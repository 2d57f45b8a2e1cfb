//! The scopes of API keys and service tokens: what their programs may do.

/// Defines a closed list of scopes, with their spelling in the API and in the table.
macro_rules! scopes {
    ($(#[$doc:meta])* $Scope:ident: $count:literal { $($(#[$of:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Scope {
            $($(#[$of])* $name,)*
        }

        impl $Scope {
            /// All scopes.
            pub const ALL: [Self; $count] = [$(Self::$name,)*];

            /// The spelling in the API and in the table.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl std::str::FromStr for $Scope {
            type Err = String;

            fn from_str(text: &str) -> std::result::Result<Self, String> {
                let known = || Self::ALL.map(Self::as_str).join(", ");
                Self::ALL
                    .into_iter()
                    .find(|scope| scope.as_str() == text)
                    .ok_or_else(|| format!("unknown scope; use one of {}", known()))
            }
        }
    };
}

scopes! {
    /// The scopes of a service token: for all customers, or for those that the token is limited to.
    ServiceScope: 2 {
        /// Reads the customers' active configurations.
        ConfigsRead = "configs:read",
        /// Watches the customers' activations.
        ActivationsWatch = "activations:watch",
    }
}

scopes! {
    /// The scopes of an API key, at its customer.
    KeyScope: 7 {
        /// Reads agents, versions and activations.
        AgentsRead = "agents:read",
        /// Creates, changes, archives and restores agents.
        AgentsWrite = "agents:write",
        /// Publishes versions.
        VersionsPublish = "versions:publish",
        /// Activates, rolls back and deactivates.
        VersionsActivate = "versions:activate",
        /// Reads active configurations.
        ConfigsRead = "configs:read",
        /// Watches activations and configurations.
        ActivationsWatch = "activations:watch",
        /// Reads the audit log.
        ChangesRead = "changes:read",
    }
}
